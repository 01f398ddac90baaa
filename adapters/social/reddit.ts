import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import type { SocialQuery, SocialReading } from '../../contract/ports/index.ts';
import { version } from '../../runtime/version.ts';
import { readJson } from './read-json.ts';
import { newestFirst, socialItem } from './social-item.ts';
import type { SourceCalls } from './source-calls.ts';

export type RedditSettings = {
  clientId: string;
  clientSecret: string;
  url: string;
  tokenUrl: string;
  userAgent?: string | undefined;
};

/** The most that a listing gives at once. */
const mostPosts = 100;
const tokenPath = '/api/v1/access_token';
/** A token is not used in its last minute. */
const tokenMarginMs = 60_000;

const Token = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const Post = z.object({
  name: z.string().min(1),
  title: z.string(),
  selftext: z.string().nullish(),
  author: z.string().nullish(),
  permalink: z.string(),
  subreddit: z.string().nullish(),
  created_utc: z.number(),
  score: z.number().nullish(),
  num_comments: z.number().nullish(),
});
const Listing = z.object({ data: z.object({ children: z.array(z.object({ data: Post })) }) });

/** Posts of Reddit, by its API as an app without a user (the grant `client_credentials`). */
export function createReddit(calls: SourceCalls, settings: RedditSettings, now: () => number = Date.now) {
  const { clientId, clientSecret, url: address, tokenUrl, userAgent = `linux:alfred:v${version}` } = settings;
  let token: { value: string; until: number } | undefined;

  async function newToken(signal: AbortSignal): Promise<string> {
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded', 'user-agent': userAgent };
    const { access_token: value, expires_in: seconds } = await calls.call(
      {
        url: new URL(tokenPath, tokenUrl).href,
        method: 'POST',
        headers,
        body: 'grant_type=client_credentials',
        signal,
      },
      (answer) => readJson(calls, answer, Token),
    );
    token = { value, until: now() + seconds * 1_000 - tokenMarginMs };
    return value;
  }

  const getWith = async (url: string, signal: AbortSignal) => {
    const value = token && token.until > now() ? token.value : await newToken(signal);
    const headers = { authorization: `Bearer ${value}`, 'user-agent': userAgent };
    return calls.get({ url, headers, signal }, (answer) => readJson(calls, answer, Listing));
  };

  /** A token may be taken back before its time: then another one is asked for, once. */
  async function get(url: string, signal: AbortSignal) {
    const used = token;
    try {
      return await getWith(url, signal);
    } catch (error) {
      const isRefused = error instanceof AlfredError && error.code === 'source_refused' && / 401\b/.test(error.message);
      if (!isRefused || !used || token !== used) throw error;
      token = undefined;
      return getWith(url, signal);
    }
  }

  return {
    async read({ words, subreddit, since, limit }: SocialQuery, signal: AbortSignal): Promise<SocialReading> {
      if (words === undefined && subreddit === undefined)
        throw new AlfredError('invalid_request', 'Reddit is searched for words, or a subreddit is named: give one.');
      const { value, readAt } = await get(new URL(pathOf({ words, subreddit, limit }), address).href, signal);
      const items = value.data.children
        .map(({ data: post }) =>
          socialItem({
            source: 'reddit',
            id: post.name,
            title: post.title,
            text: post.selftext ?? '',
            url: new URL(post.permalink, 'https://www.reddit.com').href,
            author: post.author ? `u/${post.author}` : undefined,
            publishedAt: new Date(post.created_utc * 1_000).toISOString(),
            readAt,
            measures: { points: post.score, comments: post.num_comments },
          }),
        )
        .filter(({ publishedAt }) => (publishedAt ?? '') >= since)
        .sort(newestFirst)
        .slice(0, limit);
      const isPartial = items.length === Math.min(limit, mostPosts);
      return { items, isPartial, notes: isPartial ? [`Reddit: only the newest ${items.length} posts were read.`] : [] };
    },
  };
}

function pathOf({ words, subreddit, limit }: Pick<SocialQuery, 'words' | 'subreddit' | 'limit'>): string {
  const place = subreddit === undefined ? '' : `/r/${encodeURIComponent(subreddit)}`;
  const common = { limit: String(Math.min(limit, mostPosts)), raw_json: '1' };
  if (words === undefined) return `${place}/new?${new URLSearchParams(common).toString()}`;
  const query = { q: words, sort: 'new', type: 'link', ...(subreddit === undefined ? {} : { restrict_sr: '1' }) };
  return `${place}/search?${new URLSearchParams({ ...query, ...common }).toString()}`;
}
