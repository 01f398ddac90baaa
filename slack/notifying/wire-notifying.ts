import type { SlackNotifications } from '../../contract/ports/index.ts';
import type { Config } from '../../runtime/config.ts';
import type { Edge } from '../../runtime/edge.ts';
import type { SlackCalls } from '../api-calls/api-calls.ts';
import { systemClock } from '../api-calls/clock.ts';
import { taskUrlOf } from '../links-of-post.ts';
import { renderFailures } from '../rendering/failure-alert.ts';
import { createNotifier, type Notifier } from './notifier.ts';

type Wired = {
  edge: { config: Config } & Pick<Edge, 'log' | 'metrics'>;
  notifications: SlackNotifications;
  calls: SlackCalls;
  owner: string;
  /** Of the settings of Slack. */
  settings: { tenant: string; alertsChannel: string | undefined };
};

/** What says in a channel which tasks have failed; undefined where no channel is set. */
export function wireNotifying({ edge, notifications, calls, owner, settings }: Wired): Notifier | undefined {
  const { config, log, metrics } = edge;
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
