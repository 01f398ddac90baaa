import { randomUUID } from 'node:crypto';
import type { SlackPost } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import { createApiCalls } from '../api-calls/api-calls.ts';
import { systemClock } from '../api-calls/clock.ts';
import type { ObservedCall } from '../api-calls/slack-call.ts';
import { createTokenWatch } from '../api-calls/token-problems.ts';
import { createChannelInfos } from '../channel-info.ts';
import { createNotices } from '../asking/notices.ts';
import { createLinksOf } from '../links-of-post.ts';
import type { SlackPorts } from '../slack-ports.ts';
import { createStateOf } from '../state-of-post.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { createCheckChannel } from './check-channel.ts';
import { createPoster } from './poster.ts';
import { createUploadBytes } from './upload-bytes.ts';

type WiredEdge = { config: Config } & Pick<Edge, 'log' | 'metrics'>;

/** What calls Slack: the queue of calls, the notices, and a poster of answers for each workspace. */
export function wirePosting({ config, log, metrics }: WiredEdge, adapters: SlackPorts, workspaces: Workspaces) {
  const token = createTokenWatch();
  const observe = ({ team, method, outcome, durationMs }: ObservedCall) => {
    if (workspaces.isOwn(team)) token.observe({ method, outcome });
    else workspaces.observe(team, outcome);
    metrics.slackApiCalls.observe({ method, outcome }, durationMs / 1_000);
  };
  const calls = createApiCalls({
    send: (team, method, args) => workspaces.send(team, method, args),
    clock: systemClock,
    log,
    metrics: { observe },
  });
  const infoOf = createChannelInfos(calls, systemClock);
  const checkChannel = createCheckChannel({
    calls,
    infoOf,
    clock: systemClock,
    channels: adapters.slackChannels,
    results: adapters.slackRunResults,
    maxAgeDays: config.SLACK_LINK_MAX_AGE_DAYS,
  });
  const linksOf = createLinksOf(config);
  // What stands in a channel by itself says what it is.
  const linksWithTitle = async (post: SlackPost) =>
    post.threadTs === ''
      ? { ...linksOf(post), isUnasked: true, title: await adapters.slackRunResults.nameOf(post) }
      : linksOf(post);
  const openPoster = () =>
    createPoster({
      posts: adapters.slackPosts,
      artifacts: adapters.artifacts,
      uploadBytes: createUploadBytes({ apiUrl: config.SLACK_API_URL, observe }),
      events: adapters.events,
      slack: calls,
      clock: systemClock,
      log,
      owner: randomUUID(),
      tenantOf: workspaces.readTenantOf,
      linksOf: linksWithTitle,
      stateOf: createStateOf({ threads: adapters.slackThreads, conversations: adapters.conversationRows }),
      isUndoing: async ({ tenant, subject, taskId }) =>
        (await adapters.tasks.get({ tenant, subject }, taskId))?.effects.some(({ state }) => state === 'undoing') ===
        true,
      checkChannel,
      metrics: {
        rotated: (reason) => metrics.slackStreamRotations.inc({ reason }),
        ended: (outcome) => metrics.slackPosts.inc({ outcome }),
        file: (outcome) => metrics.slackTaskFiles.inc({ outcome }),
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
  return { calls, infoOf, openPoster, checkChannel, notices: createNotices(calls), observe, token };
}
