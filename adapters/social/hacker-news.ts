import { z } from 'zod';
import type { SocialQuery, SocialReading } from '../../contract/ports/index.ts';
import { plainText } from './plain-text.ts';
import { newestFirst, socialItem } from './social-item.ts';
import { readJson } from './read-json.ts';
import type { SourceCalls } from './source-calls.ts';

/** The most that the search gives for one query. */
const mostHits = 500;
const hourS = 3_600;

const Hit = z.object({
  objectID: z.string().min(1),
  created_at: z.string(),
  author: z.string().nullish(),
  title: z.string().nullish(),
  url: z.string().nullish(),
  story_text: z.string().nullish(),
  comment_text: z.string().nullish(),
  story_title: z.string().nullish(),
  points: z.number().nullish(),
  num_comments: z.number().nullish(),
});
const Answer = z.object({ hits: z.array(Hit), nbHits: z.int().nonnegative().optional() });

/** Stories and comments of Hacker News, by the search API that Algolia runs for it. */
export const createHackerNews = (calls: SourceCalls, address: string) => ({
  async read({ words = '', since, limit }: SocialQuery, signal: AbortSignal): Promise<SocialReading> {
    // A whole hour, so that the same question has the same address and is answered from the cache.
    const sinceS = Math.floor(Date.parse(since) / 1_000 / hourS) * hourS;
    const url = new URL('/api/v1/search_by_date', address);
    url.search = new URLSearchParams({
      query: words,
      tags: '(story,comment)',
      numericFilters: `created_at_i>=${sinceS}`,
      hitsPerPage: String(Math.min(limit, mostHits)),
    }).toString();
    const { value, readAt } = await calls.get({ url: url.href, signal }, (answer) => readJson(calls, answer, Answer));
    const { hits, nbHits = hits.length } = value;
    const items = hits
      .filter(({ created_at }) => Date.parse(created_at) >= Date.parse(since))
      .map((hit) =>
        socialItem({
          source: 'hackernews',
          id: hit.objectID,
          title: hit.title ?? (hit.story_title ? `Comment on: ${hit.story_title}` : ''),
          text: plainText(hit.comment_text ?? hit.story_text ?? ''),
          url: `https://news.ycombinator.com/item?id=${encodeURIComponent(hit.objectID)}`,
          author: hit.author ?? undefined,
          publishedAt: hit.created_at,
          readAt,
          measures: { points: hit.points, comments: hit.num_comments },
        }),
      )
      .sort(newestFirst)
      .slice(0, limit);
    const isPartial = nbHits > hits.length;
    const notes = isPartial ? [`Hacker News: only the newest ${hits.length} of ${nbHits} were read.`] : [];
    return { items, isPartial, notes };
  },
});
