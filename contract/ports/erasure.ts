import type { ConversationRef, Scope } from '../references.ts';

/** How long content is kept after its last change, in days. Undefined: until a user deletes it. */
export type Retention = {
  /** Of tasks outside of conversations, from their end on. */
  tasksDays?: number | undefined;
  /** Of conversations with all their tasks, from their last event on. */
  conversationsDays?: number | undefined;
};

/** Removes the content of tasks. Rows that count what they cost stay. */
export interface Erasure {
  /**
   * Hides a task outside of conversations, and removes its content if the task has ended. The content of a running task
   * is removed by `eraseDue` after its end. Safe to repeat.
   *
   * @returns false when there is no such task
   */
  deleteTask(scope: Scope, taskId: string): Promise<boolean>;

  /** Removes the content of deleted tasks that have ended. @returns how many, at most `limit` */
  eraseDue(limit: number): Promise<number>;

  /** Lists the tenants that have content. */
  listTenants(): Promise<string[]>;

  /** Deletes the oldest tasks of a tenant that are older than it keeps them. @returns how many, at most `limit` */
  expireTasks(tenant: string, days: number, limit: number): Promise<number>;

  /** Lists the oldest conversations of a tenant in which nothing has happened for longer than it keeps them. */
  listExpiredConversations(tenant: string, days: number, limit: number): Promise<ConversationRef[]>;
}
