import { randomUUID } from 'node:crypto';
import type { SlackNotifications, SlackRunResults } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { systemClock } from '../api-calls/clock.ts';
import { taskUrlOf } from '../links-of-post.ts';
import type { CheckChannel } from '../posting/check-channel.ts';
import { createNotifier } from './notifier.ts';
import { aboutApprovals, aboutFailures, aboutRuns } from './subjects.ts';
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
    tenant,
    checkChannel,
    count: (kind: string, outcome: string, count = 1) => metrics.slackNotifications.inc({ kind, outcome }, count),
  };
  const notifiers = [createNotifier({ ...shared, ...aboutRuns(notifications) })];

  /** @param variable the setting that names the channel */
  function addNotifier(name: string, variable: string, subject: Parameters<typeof createNotifier>[0]) {
    const notifier = createNotifier(subject);
    notifiers.push(notifier);
    readiness.addWarning(name, async () => {
      const problem = await notifier.problem();
      return problem && `${variable}: ${problem}`;
    });
  }
  if (alertsChannel !== undefined) {
    const about = aboutFailures(notifications, alertsChannel, links);
    addNotifier('slack_alerts', 'SLACK_ALERTS_CHANNEL', { ...shared, ...about });
  }
  if (approvalsChannel !== undefined) {
    const about = aboutApprovals(notifications, approvalsChannel, links);
    addNotifier('slack_approvals', 'SLACK_APPROVALS_CHANNEL', { ...shared, ...about });
  }
  const results = createRunResults({ results: adapters.slackRunResults, tenant, log, count: shared.count, onPosts });

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
