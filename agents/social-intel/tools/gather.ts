import { AlfredError, isWorthRepeating } from '../../../contract/errors.ts';
import type { Social, SocialItem, SocialQuery, SocialReading } from '../../../contract/ports/index.ts';
import { socialSourceNames, type SocialSource } from '../../../contract/social.ts';
import type { GivenItem } from '../intents.ts';

export type Asked = {
  topic?: string | undefined;
  sources?: SocialSource[] | undefined;
  feeds?: string[] | undefined;
  subreddit?: string | undefined;
  limit: number;
  items?: GivenItem[] | undefined;
};

/** One thing to read: a source, or one feed. `key`: what tells it from others, for what a monitor has seen. */
export type Place = { source: SocialSource; name: string; query: Omit<SocialQuery, 'since'>; key: string };

export type Gathered = {
  items: SocialItem[];
  isPartial: boolean;
  notes: string[];
  /** Sources that do not reach back as far as was asked, as lines. */
  reach: string[];
  /** What was read, with how many items. */
  read: { place: Place; items: SocialItem[] }[];
  failed: { place: Place; error: AlfredError }[];
};

/** @throws AlfredError when a request names nothing to read, or what does not go together */
export function checkAsked({ topic, sources, feeds, subreddit, items }: Asked): void {
  const wrong = (message: string) => new AlfredError('invalid_request', message);
  if (items) {
    if (items.some(({ title, text }) => title.trim() === '' && text.trim() === ''))
      throw wrong('Each of the `items` needs a `title` or a `text`.');
    if (sources ?? feeds ?? subreddit) throw wrong('`items` are read in place of any source: leave the sources out.');
    return;
  }
  if (topic === undefined && feeds === undefined && subreddit === undefined)
    throw wrong('Name a `topic`, `feeds`, a `subreddit`, or give `items`.');
  if (sources?.includes('feeds') && !feeds) throw wrong('With the source `feeds`, name their addresses in `feeds`.');
  if (feeds && sources && !sources.includes('feeds')) throw wrong('`feeds` are named, and not among the `sources`.');
  if (subreddit !== undefined && sources && !sources.includes('reddit'))
    throw wrong('A `subreddit` is named, and reddit is not among the `sources`.');
  const needsTopic = sources?.find((source) => source === 'hackernews' || source === 'youtube');
  if (topic === undefined && needsTopic) throw wrong(`${socialSourceNames[needsTopic]} is searched: name a \`topic\`.`);
}

/**
 * The places to read. Without `sources`: what is named, and for a topic alone Hacker News and Reddit as far as they are
 * on. YouTube only when it is named, because its searches are few.
 */
export function placesOf(social: Pick<Social, 'states'>, { topic, sources, feeds, subreddit, limit }: Asked): Place[] {
  const isOn = (source: SocialSource) => social.states().some((state) => state.source === source && state.isOn);
  const named: SocialSource[] = [...(feeds ? (['feeds'] as const) : []), ...(subreddit ? (['reddit'] as const) : [])];
  const chosen = sources ?? (named.length > 0 ? named : (['hackernews', 'reddit'] as const).filter(isOn));
  if (chosen.length === 0) {
    const hints = social.states().flatMap(({ source, hint }) => (hint ? `${socialSourceNames[source]}: ${hint}` : []));
    throw new AlfredError('source_unconfigured', `No source that can be searched is on. ${hints.join(' ')}`);
  }
  const common = { limit, words: topic };
  return chosen.flatMap((source): Place[] => {
    if (source === 'feeds')
      return (feeds ?? []).map((feed) => {
        const name = `Feed ${URL.parse(feed)?.host ?? ''}`;
        return { source, name, query: { ...common, feed }, key: keyOf(source, topic, feed) };
      });
    const only = source === 'reddit' ? subreddit : undefined;
    const query = { ...common, subreddit: only };
    return [{ source, name: socialSourceNames[source], query, key: keyOf(source, topic, only) }];
  });
}

const keyOf = (...parts: (string | undefined)[]): string => JSON.stringify(parts.map((part) => part ?? ''));

/**
 * Reads all places. One that fails leaves the others: a note names what failed.
 *
 * @throws AlfredError of a place when none could be read, one that a repeat may mend before others
 */
export async function gather(
  social: Social,
  places: readonly Place[],
  { since, signal }: { since: string; signal: AbortSignal },
): Promise<Gathered> {
  const settled = await Promise.allSettled(
    places.map(({ source, query }) => social.read(source, { ...query, since }, signal)),
  );
  signal.throwIfAborted();
  const read: (Gathered['read'][number] & { reading: SocialReading })[] = [];
  const failed: Gathered['failed'] = [];
  for (const [index, outcome] of settled.entries()) {
    const place = places[index] as Place;
    if (outcome.status === 'fulfilled') read.push({ place, items: outcome.value.items, reading: outcome.value });
    else failed.push({ place, error: faultOf(place, outcome.reason) });
  }
  if (read.length === 0) throw worstOf(failed.map(({ error }) => error));
  return {
    items: withoutRepeats(read.flatMap(({ items }) => items)),
    isPartial: failed.length > 0 || read.some(({ reading }) => reading.isPartial),
    reach: read.flatMap(({ place, reading: { reachesBackTo } }) =>
      reachesBackTo === undefined ? [] : `${place.name} has nothing older than ${reachesBackTo.slice(0, 10)}.`,
    ),
    notes: [
      ...read.flatMap(({ reading }) => reading.notes),
      ...failed.map(({ place, error }) => `${place.name} could not be read: ${error.message}`),
    ],
    read: read.map(({ place, items }) => ({ place, items })),
    failed,
  };
}

/** A fault in what reads one place must not take the others with it. */
const faultOf = ({ name }: Place, cause: unknown): AlfredError =>
  cause instanceof AlfredError
    ? cause
    : new AlfredError('source_unreadable', `Alfred fails at reading the answer of ${name}.`, { cause });

function worstOf(errors: readonly AlfredError[]): AlfredError {
  const worst = errors.find(({ code }) => isWorthRepeating(code)) ?? errors[0];
  if (!worst) throw new Error('nothing was read');
  const others = errors.filter((error) => error !== worst).map(({ message }) => message);
  return new AlfredError(worst.code, [worst.message, ...others].join(' '), {
    retryAfterMs: worst.retryAfterMs,
    cause: worst,
  });
}

/** One of several that have the same id in the same source. */
function withoutRepeats(items: readonly SocialItem[]): SocialItem[] {
  const known = new Map(items.map((item) => [`${item.source} ${item.id}`, item]));
  return [...known.values()];
}

/** What a caller gives, as items. */
export const givenItems = (items: readonly GivenItem[], readAt: string): SocialItem[] =>
  items.map(({ title, text, url, author, publishedAt }, index) => ({
    source: 'given',
    id: String(index + 1),
    title: title.trim(),
    text: text.trim(),
    url: url ?? null,
    author: author ?? null,
    publishedAt: publishedAt === undefined ? null : new Date(publishedAt).toISOString(),
    readAt,
    measures: {},
  }));
