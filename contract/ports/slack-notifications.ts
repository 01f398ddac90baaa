import type { SlackPostMessage } from './slack.ts';

/** Where notifications are posted, and whose tasks they are about. */
export type SlackNotificationTarget = { tenant: string; team: string; channel: string };

/** A message in a channel that no person asked for. It names tasks; what it says of them is read when it is posted. */
export type SlackNotification = SlackNotificationTarget & {
  id: string;
  /** `failures`: tasks that have failed. */
  kind: 'failures';
  messages: SlackPostMessage[];
  /** How often a process has claimed it. */
  attempts: number;
};

export type FailedTask = { taskId: string; agent: string; code: string | null; endedAt: Date };

export interface SlackNotifications {
  /**
   * Makes a notification of the failures of the last day that none names yet, or adds them to one that is not posted
   * yet. When there were notifications in the last hour it waits, the longer the more: an outage gives few.
   *
   * @returns how many failures it took
   */
  collectFailures(target: SlackNotificationTarget): Promise<number>;
  /** One that nothing was posted of yet goes to the channel of `target`. */
  claim(owner: string, leaseMs: number, target: SlackNotificationTarget): Promise<SlackNotification | undefined>;
  /** The tasks that a notification names, newest first, without those that were erased. */
  failuresOf(notification: Pick<SlackNotification, 'id' | 'tenant'>): Promise<FailedTask[]>;
  /** Fenced: false when another owner has it. */
  save(owner: string, id: string, messages: SlackPostMessage[]): Promise<boolean>;
  finish(owner: string, id: string): Promise<void>;
  /**
   * Puts one back that could not be posted, without the failures that are older than a day. When none is left, it is
   * finished.
   *
   * @returns how many it has lost, and has
   */
  retry(owner: string, id: string, afterMs: number): Promise<{ lost: number; left: number }>;
  removeOld(): Promise<number>;
}

/** Runs of schedules whose answers are posted to a channel. */
export interface SlackRunResults {
  /**
   * Makes a post of each run of the tenant that has ended and is to be posted. Its thread is empty: it stands in the
   * channel itself.
   *
   * @returns how many; `late`: they ended more than a day ago, and are not posted
   */
  collect(of: { tenant: string; team: string }): Promise<{ posts: number; late: number }>;
  /** The name of the schedule that a task is a run of. */
  nameOf(task: { tenant: string; taskId: string }): Promise<string | undefined>;
}
