import type { SlackNotifications, SlackRunResults } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { systemClock } from '../api-calls/clock.ts';
import { taskUrlOf } from '../links-of-post.ts';
import { renderFailures } from '../rendering/failure-alert.ts';
import { createNotifier, type Notifier } from './notifier.ts';
import { createRunResults } from './run-results.ts';

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics' | 'readiness'>;
  adapters: { slackNotifications: SlackNotifications; slackRunResults: Pick<SlackRunResults, 'collect'> };
  calls: SlackCalls;
  owner: string;
  /** Of the settings of Slack. */
  settings: { tenant: string; alertsChannel: string | undefined };
  /** There are new posts. */
  onPosts: () => void;
};

/** What Alfred writes in channels without being asked there: which tasks have failed, and the answers of schedules. */
export function wireNotifying(wired: Wired) {
  const { edge, adapters, settings, onPosts } = wired;
  const { tenant } = settings;
  const notifier = wireNotifier(wired);
  if (notifier) edge.readiness.addWarning('slack_alerts', async () => notifier.problem());
  const results = createRunResults({ results: adapters.slackRunResults, tenant, log: edge.log, onPosts });
  return {
    /** @param team the workspace of the token */
    start(team: string): void {
      notifier?.start(team);
      results.start(team);
    },
    async stop(): Promise<void> {
      await Promise.all([notifier?.stop(), results.stop()]);
    },
  };
}

/** @returns undefined where no channel is set */
function wireNotifier({ edge, adapters, calls, owner, settings }: Wired): Notifier | undefined {
  const { config, log, metrics } = edge;
  const { slackNotifications: notifications } = adapters;
  const { tenant, alertsChannel: channel } = settings;
  if (channel === undefined) return undefined;
  const links = { task: (taskId: string) => taskUrlOf(config, taskId) };
  return createNotifier({
    notifications,
    slack: calls,
    clock: systemClock,
    log,
    owner,
    target: { tenant, channel },
    count: (kind, outcome) => metrics.slackNotifications.inc({ kind, outcome }),
    async render(notification) {
      const failed = await notifications.failuresOf(notification);
      return failed.length === 0 ? undefined : renderFailures(failed, links);
    },
  });
}
