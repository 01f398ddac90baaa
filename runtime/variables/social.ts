import { z } from 'zod';
import { socialSources } from '../../contract/social.ts';
import { commaSeparated } from '../settings-schemas.ts';
import { url } from './values.ts';

const httpAddress = (example: string) => url(/^https?:$/, example);

/** Variables for the sources of the agent social-intel. */
export const social = {
  SOCIAL_SOURCES: commaSeparated(z.enum(socialSources, `expected some of ${socialSources.join(', ')}`))
    .default([...socialSources])
    .describe(
      'what social-intel may read, separated by commas: feeds, hackernews, reddit, youtube; the last two also need their keys; default: all',
    ),
  SOCIAL_CACHE_S: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('how long an answer of feeds, Hacker News and Reddit is taken without asking again, in seconds'),
  HACKERNEWS_URL: httpAddress('https://hn.algolia.com')
    .default('https://hn.algolia.com')
    .describe('address of the search API of Hacker News'),
  REDDIT_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe('id of an app of Reddit; with its secret it turns Reddit on for social-intel'),
  REDDIT_CLIENT_SECRET: z.string().min(1).optional().describe('its secret'),
  REDDIT_USER_AGENT: z
    .string()
    .trim()
    .min(1)
    .max(256)
    .optional()
    .describe(
      'how Alfred names itself to Reddit, which wants the account that is responsible, like `linux:alfred:v1 (by /u/name)`; default: Alfred and its version',
    ),
  REDDIT_URL: httpAddress('https://oauth.reddit.com')
    .default('https://oauth.reddit.com')
    .describe('address of Reddit’s API'),
  REDDIT_TOKEN_URL: httpAddress('https://www.reddit.com')
    .default('https://www.reddit.com')
    .describe('address of the host that gives access tokens for Reddit’s API'),
  YOUTUBE_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('key of the YouTube Data API v3; it turns YouTube on for social-intel'),
  YOUTUBE_URL: httpAddress('https://youtube.googleapis.com')
    .default('https://youtube.googleapis.com')
    .describe('address of the YouTube Data API'),
  YOUTUBE_SEARCHES_PER_DAY: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(100)
    .describe('searches that a worker may make in a day of YouTube’s quota'),
  YOUTUBE_UNITS_PER_DAY: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000_000)
    .default(10_000)
    .describe('units that its other calls may use in a day'),
} as const;
