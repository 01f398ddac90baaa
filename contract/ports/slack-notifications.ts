import type { Scope } from '../references.ts';
import type { ApprovalRow } from './approvals.ts';
import type { SlackPostMessage } from './slack.ts';

/** Where notifications are posted, and whose tasks they are about. */
type SlackNotificationTarget = { tenant: string; team: string; channel: string };

/** A message in a channel that no person asked for. It names tasks; what it says of them is read when it is posted. */
export type SlackNotification = SlackNotificationTarget & {
  id: string;
  /**
   * `failures`: tasks that have failed. `approval`: calls that wait for a person, `escalation`: they do for long.
   * `run`: a run of a schedule could not begin.
   */
  kind: 'failures' | 'approval' | 'escalation' | 'run';
  messages: SlackPostMessage[];
  /** How often a process has claimed it. */
  attempts: number;
};

export type FailedTask = { taskId: string; agent: string; code: string | null; endedAt: Date };

/** A call that waits or waited for a person, without its arguments. */
export type NotifiedApproval = Pick<
  ApprovalRow,
  'id' | 'taskId' | 'agent' | 'tool' | 'status' | 'approvers' | 'fourEyes' | 'onExpiry' | 'expiresAt'
> & {
  /** Null: time decided, or no one yet. */
  decidedBy: string | null;
  /** Whether it was decided that the call runs. */
  runs: boolean;
};

/** A run of a schedule that could not begin, and whose schedule it is. */
export type NotifiedRun = { name: string; subject: string; code: string };

export interface SlackNotifications {
  /**
   * Makes a notification of the failures of the last day that none names yet, or adds them to one that is not posted
   * yet. When there were notifications in the last hour it waits, the longer the more: an outage gives few.
   *
   * @returns how many failures it took
   */
  collectFailures(target: SlackNotificationTarget): Promise<number>;
  /**
   * Makes a notification of each pending approval, and of each escalation, of a task that no thread of Slack shows; of
   * many one together. Makes those due again of whose approvals none waits any more, or one waits again.
   *
   * @returns how many approvals and escalations it took
   */
  collectApprovals(target: SlackNotificationTarget): Promise<number>;
  /** One that nothing was posted of yet goes to the channel that is given. Without one each has its own. */
  claim(
    owner: string,
    leaseMs: number,
    from: { tenant: string; team: string; channel: string | undefined; kinds: SlackNotification['kind'][] },
  ): Promise<SlackNotification | undefined>;
  /** The tasks that a notification names, newest first, without those that were erased. */
  failuresOf(notification: Pick<SlackNotification, 'id' | 'tenant'>): Promise<FailedTask[]>;
  /** What a notification is about, the oldest first, without what is gone. */
  approvalsOf(notification: Pick<SlackNotification, 'id' | 'tenant'>): Promise<NotifiedApproval[]>;
  /** The run that a notification is about; undefined when it is gone. */
  runOf(notification: Pick<SlackNotification, 'id' | 'tenant'>): Promise<NotifiedRun | undefined>;
  /** Fenced: false when another owner has it. */
  save(owner: string, id: string, messages: SlackPostMessage[]): Promise<boolean>;
  finish(owner: string, id: string): Promise<void>;
  /** It is shown, and due again when its approval does not wait any more. */
  park(owner: string, id: string): Promise<void>;
  /**
   * Puts one back that could not be posted, without what it was to say for more than a day. When nothing is left, it is
   * finished.
   *
   * @param code why the channel took it not; undefined: that is not known
   * @returns how many causes it has lost, and has
   */
  retry(owner: string, id: string, afterMs: number, code?: string): Promise<{ lost: number; left: number }>;
  /** Why a channel takes nothing of these kinds, as long as something waits for it. Any process may have found that. */
  findProblem(of: { tenant: string; team: string; kinds: SlackNotification['kind'][] }): Promise<string | undefined>;
  removeOld(): Promise<number>;
}

/** Runs of schedules that are to be posted to a channel. */
export interface SlackRunResults {
  /**
   * Makes a post of the answer of each run of the tenant that has ended, with an empty thread: it stands in the channel
   * itself. Of a run that could not begin it makes a notification.
   *
   * @returns `posts`: how many; `elsewhere`: answers without one, because their message was taken into another answer,
   *   or a thread shows them; `quiet`: answers that say that there is nothing to report
   */
  collect(of: { tenant: string; team: string }): Promise<{ posts: number; elsewhere: number; quiet: number }>;
  /**
   * Gives up what no Slack door has posted for more than a day, of all tenants.
   *
   * @returns how many runs of which tenant
   */
  giveUp(limit: number): Promise<{ tenant: string; count: number }[]>;
  /** The name of the schedule that a task is a run of. */
  nameOf(task: { tenant: string; taskId: string }): Promise<string | undefined>;
  /**
   * The Slack users of a workspace that are linked with a person.
   *
   * @param maxAgeDays since the last sign-in of the person; an older link does not count
   */
  slackUsersOf(person: Scope & { team: string }, maxAgeDays: number): Promise<string[]>;
}
