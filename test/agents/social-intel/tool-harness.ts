import { createSocialIntelTools } from '../../../agents/social-intel/tools/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type {
  Social,
  SocialItem,
  SocialQuery,
  SocialWatches,
  Tool,
  ToolContext,
  Video,
} from '../../../contract/ports/index.ts';
import type { SocialSource } from '../../../contract/social.ts';

export const now = Date.parse('2026-11-20T12:00:00Z');
const readAt = new Date(now).toISOString();

export const item = (title: string, more: Partial<SocialItem> = {}): SocialItem => ({
  source: 'hackernews',
  id: title,
  title,
  text: '',
  url: `https://example.com/${encodeURIComponent(title)}`,
  author: 'ada',
  publishedAt: '2026-11-19T10:00:00.000Z',
  readAt,
  measures: {},
  ...more,
});

export const video = (title: string, more: Partial<Video> = {}): Video => ({
  id: title,
  title,
  url: `https://www.youtube.com/watch?v=${encodeURIComponent(title)}`,
  channelId: 'c1',
  channel: 'Baker',
  publishedAt: '2026-11-10T12:00:00.000Z',
  durationS: 600,
  views: 10_000,
  likes: null,
  comments: null,
  tags: [],
  ...more,
});

type Answers = Partial<Record<SocialSource, SocialItem[] | Error>>;

/** The tools with sources that answer as a test says. `asked`: what they were asked. */
export function toolsWith({
  answers = {},
  off = [],
  videos = [],
  totalVideos = 0,
  isPartial = false,
}: { answers?: Answers; off?: SocialSource[]; videos?: Video[]; totalVideos?: number; isPartial?: boolean } = {}) {
  const asked: [SocialSource, SocialQuery][] = [];
  const seen = new Map<string, Map<string, string>>();
  const failures = new Map<string, Set<string>>();
  const social: Social = {
    states: () =>
      (['feeds', 'hackernews', 'reddit', 'youtube'] as const).map((source) =>
        off.includes(source)
          ? { source, isOn: false, hint: `${source.toUpperCase()}_KEY turns it on.` }
          : { source, isOn: true },
      ),
    async read(source, query) {
      asked.push([source, query]);
      const answer = answers[source] ?? [];
      if (answer instanceof Error) throw answer;
      return { items: answer, isPartial, notes: [] };
    },
    findVideos: async () => ({ videos, totalResults: totalVideos, readAt, notes: [] }),
    readCadence: async (ids) =>
      ids.map((channelId) => ({
        channelId,
        uploads: ['2026-11-15T00:00:00Z', '2026-11-08T00:00:00Z', '2026-11-01T00:00:00Z'],
      })),
  };
  const watches: SocialWatches = {
    async see({ taskId }, watch, ids) {
      const known = seen.get(watch);
      const all = known ?? new Map<string, string>();
      for (const id of ids) if (!all.has(id)) all.set(id, taskId);
      seen.set(watch, all);
      failures.delete(watch);
      return { isBaseline: !known, fresh: ids.filter((id) => all.get(id) === taskId) };
    },
    async noteFailure({ taskId }, watch) {
      failures.set(watch, (failures.get(watch) ?? new Set()).add(taskId));
      return failures.get(watch)?.size ?? 0;
    },
    removeOld: async () => 0,
  };
  const tools = createSocialIntelTools({ social, watches }, () => now);
  const run = async (name: string, input: JsonValue, taskId = 't1') => {
    const tool = tools.find((one) => one.name === name) as Tool;
    tool.check?.(input);
    const context: ToolContext = {
      scope: { tenant: 'local', subject: 'local' },
      taskId,
      receiptKey: 'r',
      signal: new AbortController().signal,
      beforeSend: async () => {},
    };
    const outcome = await tool.run(input, context);
    const { answer, data, quiet } = outcome.output as { answer: string; data: Record<string, JsonValue>; quiet?: true };
    return { ...outcome, answer, data, quiet };
  };
  return { run, asked, answers };
}
