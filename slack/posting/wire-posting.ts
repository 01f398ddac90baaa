import { randomUUID } from 'node:crypto';
import type {
  ConversationRows,
  SlackInbox,
  SlackPost,
  SlackPosts,
  SlackRunResults,
  SlackThreads,
  TaskEvents,
} from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import { createApiCalls } from '../api-calls/api-calls.ts';
import { systemClock } from '../api-calls/clock.ts';
import { createTokenWatch } from '../api-calls/token-problems.ts';
import { createWebClient } from '../api-calls/web-client.ts';
import { createNotices } from '../asking/notices.ts';
import { createLinksOf } from '../links-of-post.ts';
import { createStateOf } from '../state-of-post.ts';
import { createPoster } from './poster.ts';

type WiredEdge = { config: Config } & Pick<Edge, 'log' | 'metrics'>;
type WiredAdapters = {
  conversationRows: Pick<ConversationRows, 'findMessage'>;
  events: Pick<TaskEvents, 'follow'>;
  slackInbox: Pick<SlackInbox, 'depth'>;
  slackPosts: SlackPosts;
  slackRunResults: Pick<SlackRunResults, 'nameOf'>;
  slackThreads: Pick<SlackThreads, 'find'>;
};
/** Of the settings of Slack. */
type WiredSettings = { botToken: string; apiUrl: string | undefined };

/** What calls Slack: the queue of calls, the notices, and the poster of answers. */
export function wirePosting({ config, log, metrics }: WiredEdge, adapters: WiredAdapters, settings: WiredSettings) {
  const owner = randomUUID();
  const token = createTokenWatch();
  const client = createWebClient({ token: settings.botToken, apiUrl: settings.apiUrl });
  const calls = createApiCalls({
    send: async (_team, method, args) => ({ ...(await client.apiCall(method, args)) }),
    clock: systemClock,
    log,
    metrics: {
      observe({ method, outcome, durationMs }) {
        token.observe({ method, outcome });
        metrics.slackApiCalls.observe({ method, outcome }, durationMs / 1_000);
      },
    },
  });
  const linksOf = createLinksOf(config);
  // What stands in a channel by itself says what it is.
  const linksWithTitle = async (post: SlackPost) =>
    post.threadTs === '' ? { ...linksOf(post), title: await adapters.slackRunResults.nameOf(post) } : linksOf(post);
  const poster = createPoster({
    posts: adapters.slackPosts,
    events: adapters.events,
    slack: calls,
    clock: systemClock,
    log,
    owner,
    linksOf: linksWithTitle,
    stateOf: createStateOf({ threads: adapters.slackThreads, conversations: adapters.conversationRows }),
    metrics: {
      rotated: (reason) => metrics.slackStreamRotations.inc({ reason }),
      ended: (outcome) => metrics.slackPosts.inc({ outcome }),
      retried: () => metrics.slackPosts.inc({ outcome: 'retried' }),
    },
  });
  metrics.beforeScrape.push(async () => {
    metrics.slackCallsWaiting.set(calls.depth());
    // While the database is away, the other metrics are read.
    const depths = await Promise.all([adapters.slackInbox.depth(), adapters.slackPosts.depth()]).catch(() => undefined);
    if (!depths) return;
    metrics.slackInboxDepth.set(depths[0]);
    metrics.slackPostsOpen.set(depths[1]);
  });
  return { calls, poster, notices: createNotices(calls), owner, token };
}
