import { randomUUID } from 'node:crypto';
import type { SlackNotifications, SlackRunResults } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { systemClock } from '../api-calls/clock.ts';
import { taskUrlOf } from '../links-of-post.ts';
import type { CheckChannel } from '../posting/check-channel.ts';
import { createNotifier, type Notifier } from './notifier.ts';
import { aboutApprovals, aboutFailures } from './subjects.ts';
import { createRunResults } from './run-results.ts';

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics' | 'readiness'>;
  adapters: { slackNotifications: SlackNotifications; slackRunResults: Pick<SlackRunResults, 'collect'> };
  calls: SlackCalls;
  checkChannel: CheckChannel;
  /** Of the settings of Slack. */
  settings: { tenant: string; alertsChannel: string | undefined; approvalsChannel: string | undefined };
  /** There are new posts. */
  onPosts: () => void;
};

/**
 * What Alfred writes in channels of the workspace of its bot token without being asked there: what has failed, what
 * waits, what schedules answer, all of it of the tenant of that workspace.
 */
export function wireNotifying({ edge, adapters, calls, checkChannel, settings, onPosts }: Wired) {
  const { config, log, metrics, readiness } = edge;
  const { slackNotifications: notifications } = adapters;
  const { tenant, alertsChannel, approvalsChannel } = settings;
  const links = { task: (taskId: string) => taskUrlOf(config, taskId) };
  const shared = {
    notifications,
    slack: calls,
    clock: systemClock,
    log,
    owner: randomUUID(),
    checkChannel,
    count: (kind: string, outcome: string) => metrics.slackNotifications.inc({ kind, outcome }),
  };
  const notifiers: Notifier[] = [];

  function addNotifier(name: string, notifier: Notifier) {
    notifiers.push(notifier);
    readiness.addWarning(name, async () => notifier.problem());
  }
  if (alertsChannel !== undefined) {
    const target = { tenant, channel: alertsChannel, variable: 'SLACK_ALERTS_CHANNEL' };
    addNotifier('slack_alerts', createNotifier({ ...shared, ...aboutFailures(notifications, links), target }));
  }
  if (approvalsChannel !== undefined) {
    const target = { tenant, channel: approvalsChannel, variable: 'SLACK_APPROVALS_CHANNEL' };
    addNotifier('slack_approvals', createNotifier({ ...shared, ...aboutApprovals(notifications, links), target }));
  }
  const results = createRunResults({ results: adapters.slackRunResults, tenant, log, onPosts });

  return {
    /** @param team the workspace of the token */
    start(team: string): void {
      for (const notifier of notifiers) notifier.start(team);
      results.start(team);
    },
    async stop(): Promise<void> {
      await Promise.all([...notifiers.map((notifier) => notifier.stop()), results.stop()]);
    },
  };
}
