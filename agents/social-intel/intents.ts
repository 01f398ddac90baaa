import { z } from 'zod';
import { socialSources } from '../../contract/social.ts';
import type { Agent } from '../agent.ts';
import { intent } from '../intents.ts';

const Line = z.string().trim().min(1).max(200);
const Day = z.iso.datetime({ offset: true }).or(z.iso.date());
const Address = z
  .url({ protocol: /^https?$/, error: 'expected an address like https://example.com/feed.xml' })
  .max(2_000);

/** Kinds of content of which agents/social-intel/data/cpm.ts has a figure. */
export const cpmCategories = [
  'finance',
  'software_b2b',
  'technology',
  'education',
  'health_fitness',
  'entertainment',
  'gaming',
] as const;
export type CpmCategory = (typeof cpmCategories)[number];

const GivenItem = z.strictObject({
  title: z.string().max(300).default(''),
  text: z.string().max(2_000).default(''),
  url: Address.optional(),
  author: z.string().max(100).optional(),
  publishedAt: Day.optional().describe('When it was published; a day, or a time'),
});
export type GivenItem = z.output<typeof GivenItem>;

const GivenVideo = z.strictObject({
  title: z.string().min(1).max(300),
  url: Address.optional(),
  channel: z.string().min(1).max(100).default('unknown'),
  publishedAt: Day,
  views: z.int().nonnegative().optional(),
  durationS: z.int().positive().optional().describe('Length in seconds'),
  tags: z.array(z.string().max(100)).max(30).default([]),
});
export type GivenVideo = z.output<typeof GivenVideo>;

/** What is read: a topic in sources, feeds, a subreddit, or items that the caller has. */
const what = {
  topic: Line.optional().describe('Words to look for'),
  sources: z
    .array(z.enum(socialSources))
    .min(1)
    .max(4)
    .optional()
    .describe('Where to look; default: Hacker News and Reddit, as far as they are on, and `feeds` when any are named'),
  feeds: z.array(Address).min(1).max(10).optional().describe('Addresses of RSS, Atom or JSON feeds'),
  subreddit: z
    .string()
    .regex(/^\w{2,21}$/, 'expected a name like devops, without r/')
    .optional()
    .describe('Of Reddit only this one'),
  limit: z.int().min(1).max(500).default(200).describe('The most that is read of one source'),
};
const items = z.array(GivenItem).min(1).max(500).optional().describe('Read these in place of any source');

export const Trends = z.strictObject({
  ...what,
  items,
  days: z
    .int()
    .min(1)
    .max(90)
    .default(7)
    .describe('How long the period is; it is compared with as many days before it'),
  until: Day.optional().describe('End of the period; default: now, and with `items` the time of the newest'),
});
export type Trends = z.output<typeof Trends>;

export const Sentiment = z.strictObject({
  ...what,
  items,
  days: z.int().min(1).max(90).default(7).describe('How far back'),
});
export type Sentiment = z.output<typeof Sentiment>;

export const Monitor = z.strictObject({
  ...what,
  name: Line.describe('Name of the monitor: what one has reported another one reports again'),
});
export type Monitor = z.output<typeof Monitor>;

const region = z
  .string()
  .regex(/^[A-Z]{2}$/, 'expected two capital letters, like US')
  .optional()
  .describe('Country whose viewers can watch the videos');
const videos = z.array(GivenVideo).min(1).max(500).optional().describe('Use these in place of YouTube');

export const NicheScout = z.strictObject({
  niches: z.array(Line).min(1).max(5).describe('Words of each niche; one search each'),
  days: z.int().min(1).max(365).default(30).describe('How far back'),
  cpmUsd: z.number().positive().max(10_000).optional().describe('What a thousand views earn, in US dollars'),
  category: z.enum(cpmCategories).optional().describe('In place of `cpmUsd`: take the figure of a table'),
  region,
  videos,
  totalVideos: z.int().nonnegative().optional().describe('With `videos`: how many were published in these days'),
  until: Day.optional().describe('With `videos`: when their views were counted; default: now'),
});
export type NicheScout = z.output<typeof NicheScout>;

export const VideoBlueprint = z.strictObject({
  niche: Line.describe('Words of the niche'),
  days: z.int().min(1).max(365).default(90).describe('How far back'),
  region,
  videos,
  until: Day.optional().describe('With `videos`: when their views were counted; default: now'),
});
export type VideoBlueprint = z.output<typeof VideoBlueprint>;

const about = ({ topic, subreddit, feeds, items: given }: Partial<Trends>): string => {
  if (given) return `${given.length} given items`;
  return [topic, subreddit && `r/${subreddit}`, feeds && `${feeds.length} feeds`].filter(Boolean).join(', ');
};

/** The typed requests of this agent. The fields of each are the arguments of its tool. */
export const intents = {
  TREND_ANALYSIS: intent({
    tool: 'analyse_trends',
    input: Trends,
    ask: (fields) => `What are the trends of the last ${fields.days} days in ${about(fields)}?`,
  }),
  SOCIAL_MONITOR: intent({
    tool: 'monitor_sources',
    input: Monitor,
    ask: (fields) => `What is new since the last look of the monitor ${fields.name} at ${about(fields)}?`,
  }),
  SENTIMENT_ANALYSIS: intent({
    tool: 'analyse_sentiment',
    input: Sentiment,
    ask: (fields) => `How do people speak about ${about(fields)}?`,
  }),
  YOUTUBE_NICHE_SCOUT: intent({
    tool: 'scout_niches',
    input: NicheScout,
    ask: ({ niches }) => `Score these niches of YouTube: ${niches.join(', ')}`,
  }),
  YOUTUBE_BLUEPRINT: intent({
    tool: 'draw_blueprint',
    input: VideoBlueprint,
    ask: ({ niche }) => `What do the best videos about ${niche} on YouTube have in common?`,
  }),
} as const;

export const toolsOfIntents = Object.values(intents).map(({ tool }) => tool);

type Call = ReturnType<NonNullable<Agent['offlineCall']>>;

const subject = '(?:about |of |in |for |on )?["“]?([^"”?]{1,200}?)["”]?';
const end = '\\s*[?.!]?$';
const days = '(?: (?:in|over|for|of) the (?:last|past) (\\d{1,2}) days)?';

const daysIn = (text: string | undefined): { days?: number } => (text === undefined ? {} : { days: Number(text) });

/** What each pattern reads: the whole text, so that nothing of it is left out. */
const forms: [RegExp, (match: string[]) => Call][] = [
  [
    new RegExp(`^(?:what are the |show |analy[sz]e )?(?:the )?trends ${subject}${days}${end}`, 'i'),
    ([, words = '', last]) => ({ name: 'analyse_trends', arguments: { topic: words, ...daysIn(last) } }),
  ],
  [
    new RegExp(`^(?:what is the |analy[sz]e )?(?:the )?sentiment ${subject}${days}${end}`, 'i'),
    ([, words = '', last]) => ({ name: 'analyse_sentiment', arguments: { topic: words, ...daysIn(last) } }),
  ],
  [
    new RegExp(`^(?:what is new|what’s new|what's new|anything new|monitor) ${subject}${end}`, 'i'),
    ([, words = '']) => ({ name: 'monitor_sources', arguments: { topic: words, name: words } }),
  ],
  [
    new RegExp(
      `^(?:score|scout) (?:the )?(?:youtube )?niches? ${subject}(?: at (?:\\$|USD ?)(\\d+(?:\\.\\d+)?)(?: CPM)?)?${end}`,
      'i',
    ),
    ([, words = '', cpm]) => ({
      name: 'scout_niches',
      arguments: {
        niches: words.split(/\s*,\s*|\s+and\s+/).filter((niche) => niche !== ''),
        ...(cpm === undefined ? {} : { cpmUsd: Number(cpm) }),
      },
    }),
  ],
  [
    new RegExp(`^(?:draw (?:a |the )?)?(?:youtube )?blueprint ${subject}${end}`, 'i'),
    ([, words = '']) => ({ name: 'draw_blueprint', arguments: { niche: words } }),
  ],
];

/** Reads a request in words as a call, where no model is there to understand it. @returns undefined when unsure */
export function readRequest(text: string): Call {
  for (const [form, toCall] of forms) {
    const match = form.exec(text.trim());
    if (match) return toCall(match);
  }
  return undefined;
}
