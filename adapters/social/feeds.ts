import { createHash } from 'node:crypto';
import type { parseFeed as ParseFeed } from 'feedsmith';
import { AlfredError } from '../../contract/errors.ts';
import type { SocialItem, SocialQuery, SocialReading } from '../../contract/ports/index.ts';
import { feedText } from './feed-text.ts';
import { plainText } from './plain-text.ts';
import { holdsWords, newestFirst, socialItem } from './social-item.ts';
import { hostOf, type SourceCalls } from './source-calls.ts';

/** Of a longer feed only the first items are looked at. */
const mostItems = 1_000;

const accept = 'application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5';

/** Feeds as RSS, Atom, RDF and JSON Feed, at addresses that people name. */
export const createFeeds = (calls: SourceCalls) => ({
  async read({ feed, words, since, limit }: SocialQuery, signal: AbortSignal): Promise<SocialReading> {
    if (feed === undefined) throw new AlfredError('invalid_request', 'Name the address of a feed in `feeds`.');
    const host = hostOf(feed);
    // Loaded at its first use: most processes never read a feed.
    const { parseFeed } = await import('feedsmith');
    const { value, readAt } = await calls.get({ url: feed, headers: { accept }, signal }, ({ bytes, headers }) => {
      const { text, isGuessed } = feedText(bytes, headers.get('content-type'));
      const entries = parse(parseFeed, text);
      if (!entries) throw calls.unreadable(feed, whyUnreadable(text, host));
      return { entries, isGuessed };
    });
    const all = itemsOf(value.entries, { host, readAt });
    if (!all) throw calls.unreadable(feed, `(${host}) answered with a feed whose items cannot be read`);
    const items = all.filter(
      (item) => (item.publishedAt === null || item.publishedAt >= since) && holdsWords(item, words),
    );
    const oldest = all.findLast(({ publishedAt }) => publishedAt !== null)?.publishedAt ?? null;
    const endsLate = oldest !== null && oldest > since;
    const notes = [
      ...(value.isGuessed
        ? [`${host}: the feed is not in the encoding that it names, so its letters were guessed.`]
        : []),
      ...(items.length > limit ? [`${host}: only the newest ${limit} of ${items.length} items were read.`] : []),
    ];
    return {
      items: items.slice(0, limit),
      isPartial: endsLate || items.length > limit,
      ...(endsLate ? { reachesBackTo: oldest } : {}),
      notes,
    };
  },
});

type Text = string | { value?: string | undefined; type?: string | undefined } | undefined;

type Entry = {
  id: string | undefined;
  title: Text;
  text: Text;
  url: string | undefined;
  author: string | undefined;
  at: string | undefined;
};

function parse(parseFeed: typeof ParseFeed, text: string): Entry[] | undefined {
  try {
    const parsed = parseFeed(text);
    switch (parsed.format) {
      case 'atom':
        return (parsed.feed.entries ?? []).map((entry) => ({
          id: entry.id,
          title: entry.title,
          text: entry.content ?? entry.summary,
          url: (entry.links?.find(({ rel }) => rel === undefined || rel === 'alternate') ?? entry.links?.[0])?.href,
          author: entry.authors?.[0]?.name,
          at: entry.published ?? entry.updated,
        }));
      case 'json':
        return (parsed.feed.items ?? []).map((item) => ({
          id: item.id,
          title: item.title,
          text: item.content_text ?? item.content_html ?? item.summary,
          url: item.url,
          author: item.authors?.[0]?.name,
          at: item.date_published ?? item.date_modified,
        }));
      case 'rdf':
        return (parsed.feed.items ?? []).map((item) => ({
          id: undefined,
          title: item.title,
          text: item.description,
          url: item.link,
          author: item.dc?.creators?.[0],
          at: item.dc?.dates?.[0],
        }));
      default:
        return (parsed.feed.items ?? []).map((item) => ({
          id: item.guid?.value,
          title: item.title,
          text: item.content?.encoded ?? item.description,
          url: item.link,
          author: item.authors?.[0]?.name ?? item.dc?.creators?.[0],
          at: item.pubDate ?? item.dc?.dates?.[0],
        }));
    }
  } catch {
    return undefined;
  }
}

/** @returns nothing when an item is such that reading it fails: then other feeds go on */
function itemsOf(entries: readonly Entry[], of: { host: string; readAt: string }): SocialItem[] | undefined {
  try {
    return entries
      .slice(0, mostItems)
      .map((entry) => toItem(entry, of))
      .filter((item) => item.title !== '' || item.text !== '')
      .sort(newestFirst);
  } catch {
    return undefined;
  }
}

function toItem(entry: Entry, { host, readAt }: { host: string; readAt: string }): SocialItem {
  const title = plainText(valueOf(entry.title));
  const text = plainText(valueOf(entry.text));
  const own = entry.id ?? entry.url ?? createHash('sha256').update(`${title}\n${text}`).digest('base64url');
  return socialItem({
    source: 'feeds',
    id: `${host} ${own}`,
    title,
    text,
    url: entry.url,
    author: entry.author,
    publishedAt: entry.at,
    readAt,
  });
}

const valueOf = (text: Text): string => (typeof text === 'string' ? text : (text?.value ?? ''));

function whyUnreadable(text: string, host: string): string {
  const start = text.trimStart().slice(0, 300).toLowerCase();
  if (start === '') return `(${host}) answered with nothing`;
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return `(${host}) answered with a web page and not with a feed: look for the address of its feed`;
  const isFeed = /^(<\?xml|<rss|<feed|<rdf|\{)/.test(start);
  return isFeed
    ? `(${host}) answered with a feed that is broken, or ends in the middle`
    : `(${host}) answered with something that is no feed`;
}
