import type { Memory, MemoryList, MemoryListQuery, MemoryRequest } from '../memories.ts';
import type { Scope, TaskRef } from '../references.ts';

/** What people asked Alfred to remember. A subject reads its own, and those of the groups that it is in by now. */
export interface Memories {
  /**
   * Stores a memory. Idempotent by its key.
   *
   * @param from how the request was signed in, or the task in which an agent was asked
   * @throws AlfredError `memory_full`, `idempotency_key_reused`; `invalid_request` for a group of others
   */
  create(
    by: Scope,
    request: MemoryRequest,
    options: { idempotencyKey?: string | undefined; from: { via: string } | { taskId: string } },
  ): Promise<Memory>;

  get(reader: Scope, id: string): Promise<Memory | undefined>;

  /** Lists what a subject may read, newest first. */
  list(reader: Scope, query: MemoryListQuery): Promise<MemoryList>;

  /** Deletes a memory that the subject has made. @returns what it was; undefined when there is none */
  delete(by: Scope, id: string): Promise<Memory | undefined>;

  /**
   * Chooses the memories for a task that has none yet: those nearest to its question. Appends the event that names
   * them. When another attempt has chosen, these are returned.
   *
   * @param step the step before whose call it happens
   */
  recall(task: TaskRef, step: number): Promise<Memory[]>;

  /** Deletes memories that have expired. @returns how many */
  removeExpired(limit: number): Promise<number>;
}
