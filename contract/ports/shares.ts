import type { Scope } from '../references.ts';

/** What an owner can let others read. A conversation's readers read all its tasks too, also later ones. */
export type Shareable = { taskId: string } | { conversationId: string };

/** Who may read tasks and conversations beside their owners. */
export interface Shares {
  /**
   * Finds the owner of what is shared with a reader at this moment. Everything that shows a task or conversation to
   * others than its owner asks this, and then reads as the owner.
   *
   * @returns undefined when there is no such thing, or it is not shared with the reader
   */
  findOwner(reader: Scope, what: Shareable): Promise<Scope | undefined>;

  /** Lists the readers of something that the scope owns. @returns undefined when the scope owns no such thing */
  listReaders(owner: Scope, what: Shareable): Promise<string[] | undefined>;

  /** Replaces the readers of something that the scope owns. @returns undefined when the scope owns no such thing */
  setReaders(owner: Scope, what: Shareable, readers: string[]): Promise<string[] | undefined>;
}
