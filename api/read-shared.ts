import type { ConversationMessage } from '../contract/conversation.ts';
import type { Shareable, TaskRow } from '../contract/ports/index.ts';
import type { Scope } from '../contract/references.ts';
import type { Citation } from '../contract/task.ts';
import type { ApiDeps } from './deps.ts';

/** A row, and whose it is. */
export type OwnedRow<Row> = { row: Row; owner: Scope };

/**
 * Reads something of the scope's own, else what another has shared with it, as its owner. For requests that only read:
 * a request that changes something reads by its own scope.
 *
 * @param read  reads as this owner
 * @returns undefined when it does not exist, or the scope may not read it
 */
export async function readShared<Row>(
  shares: Pick<ApiDeps['shares'], 'findOwner'>,
  scope: Scope,
  what: Shareable,
  read: (owner: Scope) => Promise<Row | undefined>,
): Promise<OwnedRow<Row> | undefined> {
  const own = await read(scope);
  if (own !== undefined) return { row: own, owner: scope };
  const owner = await shares.findOwner(scope, what);
  const row = owner && (await read(owner));
  return owner && row !== undefined ? { row, owner } : undefined;
}

/** Whether a reader who is not the owner reads. */
export const isOther = (reader: Scope, owner: Scope): boolean => reader.subject !== owner.subject;

type Cited = { citations: Pick<ApiDeps['citations'], 'listReadable'> };

/**
 * Leaves out what tasks of others cite of documents that the reader may not read. The text of an answer is its owner's
 * to share.
 */
export async function forReader({ citations }: Cited, reader: Scope, tasks: TaskRow[]): Promise<TaskRow[]> {
  const keep = await readableOnly(
    citations,
    reader,
    tasks.flatMap(({ result }) => result?.citations ?? []),
  );
  return tasks.map((task) =>
    task.result ? { ...task, result: { ...task.result, citations: keep(task.result.citations) } } : task,
  );
}

/** As `forReader`, for the answers of a conversation. */
export async function messagesForReader(
  { citations }: Cited,
  reader: Scope,
  messages: ConversationMessage[],
): Promise<ConversationMessage[]> {
  const keep = await readableOnly(
    citations,
    reader,
    messages.flatMap((message) => message.citations ?? []),
  );
  return messages.map((message) => (message.citations ? { ...message, citations: keep(message.citations) } : message));
}

async function readableOnly(citations: Cited['citations'], reader: Scope, all: Citation[]) {
  const readable = await citations.listReadable(
    reader,
    all.map(({ documentId }) => documentId),
  );
  return (some: Citation[]) => some.filter(({ documentId }) => readable.has(documentId));
}
