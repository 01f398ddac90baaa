import type { SlackNotifications } from '../../contract/ports/index.ts';
import { goneApproval, renderApprovals } from '../rendering/approval-notice.ts';
import { renderFailures } from '../rendering/failure-alert.ts';
import { renderRunFailure } from '../rendering/run-result.ts';
import type { NotifierDeps } from './notifier.ts';

type Subject = Pick<NotifierDeps, 'kinds' | 'channel' | 'collect' | 'render'>;
type Links = { task: (taskId: string) => string | undefined };

/** Which tasks have failed. */
export const aboutFailures = (notifications: SlackNotifications, channel: string, links: Links): Subject => ({
  kinds: ['failures'],
  channel,
  collect: (from) => notifications.collectFailures({ ...from, channel }),
  async render(notification) {
    const failed = await notifications.failuresOf(notification);
    return failed.length === 0 ? undefined : { message: renderFailures(failed, links), isLast: true };
  },
});

/** What waits for an approval, and then what became of it. */
export const aboutApprovals = (notifications: SlackNotifications, channel: string, links: Links): Subject => ({
  kinds: ['approval', 'escalation'],
  channel,
  collect: (from) => notifications.collectApprovals({ ...from, channel }),
  async render(notification) {
    const approvals = await notifications.approvalsOf(notification);
    // Their tasks were deleted, or began again and ask again.
    if (approvals.length === 0)
      return notification.messages.length > 0 ? { message: goneApproval, isLast: true } : undefined;
    return {
      message: renderApprovals(approvals, notification.kind === 'escalation', links),
      isLast: approvals.every(({ status }) => status !== 'pending'),
    };
  },
});

/** Which runs of schedules could not begin, each in the channel of its schedule. `SlackRunResults` makes their rows. */
export const aboutRuns = (notifications: SlackNotifications): Subject => ({
  kinds: ['run'],
  channel: undefined,
  collect: async () => undefined,
  async render(notification) {
    const run = await notifications.runOf(notification);
    return run && { message: renderRunFailure(run), isLast: true, subject: run.subject };
  },
});
