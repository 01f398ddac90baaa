import type { SlackNotifications } from '../../contract/ports/index.ts';
import { goneApproval, renderApproval } from '../rendering/approval-notice.ts';
import { renderFailures } from '../rendering/failure-alert.ts';
import type { NotifierDeps } from './notifier.ts';

type Subject = Pick<NotifierDeps, 'kinds' | 'collect' | 'render'>;
type Links = { task: (taskId: string) => string | undefined };

/** Which tasks have failed. */
export const aboutFailures = (notifications: SlackNotifications, links: Links): Subject => ({
  kinds: ['failures'],
  collect: (target) => notifications.collectFailures(target),
  async render(notification) {
    const failed = await notifications.failuresOf(notification);
    return failed.length === 0 ? undefined : { message: renderFailures(failed, links), isLast: true };
  },
});

/** What waits for an approval, and then what became of it. */
export const aboutApprovals = (notifications: SlackNotifications, links: Links): Subject => ({
  kinds: ['approval', 'escalation'],
  collect: (target) => notifications.collectApprovals(target),
  async render(notification) {
    const approval = await notifications.approvalOf(notification);
    // Its task was deleted, or began again and asks again.
    if (!approval) return notification.messages.length > 0 ? { message: goneApproval, isLast: true } : undefined;
    const isEscalated = notification.kind === 'escalation';
    return { message: renderApproval(approval, isEscalated, links), isLast: approval.status !== 'pending' };
  },
});
