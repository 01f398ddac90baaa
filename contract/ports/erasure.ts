import type { ConversationRef, Scope } from '../references.ts';

/** How long content is kept after its last change, in days. Undefined: until a user deletes it. */
export type Retention = {
  /** Of tasks outside of conversations, from their end on. */
  tasksDays?: number | undefined;
  /** Of conversations with all their tasks, from their last event on. */
  conversationsDays?: number | undefined;
};

export type TaskOwner = Scope & { taskId: string };

/** Removes the content of tasks. Rows that count what they cost stay. */
export interface Erasure {
  /**
   * Hides a task outside of conversations, and removes its content if the task has ended. The content of a task that
   * runs or is being undone, and content whose removal fails, is removed by the sweep. Safe to repeat.
   *
   * @returns false when there is no such task
   */
  deleteTask(scope: Scope, taskId: string): Promise<boolean>;

  /**
   * Lists deleted tasks that have ended and still have content, in the order of their ids, after one of them. Without
   * those that are being undone, for some days at the most, and those whose removal has just failed.
   */
  listDue(page: { after: string | undefined; limit: number }): Promise<TaskOwner[]>;

  /** Removes the content of a deleted task that has ended. Safe to repeat. After a failure it is due minutes later. */
  eraseTask(task: TaskOwner): Promise<void>;

  /** Lists the tenants that have content. */
  listTenants(): Promise<string[]>;

  /**
   * Hides the oldest tasks of a tenant that are older than it keeps them. Their content is then due.
   *
   * @returns how many, at most `limit`
   */
  expireTasks(tenant: string, days: number, limit: number): Promise<number>;

  /** Lists the oldest conversations of a tenant in which nothing has happened for longer than it keeps them. */
  listExpiredConversations(
    tenant: string,
    days: number,
    page: { limit: number; skip: number },
  ): Promise<ConversationRef[]>;
}
