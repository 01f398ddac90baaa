import type { ConversationMessage } from '../contract/conversation.ts';
import type { Shareable, TaskRow } from '../contract/ports/index.ts';
import type { Principal } from '../contract/principal.ts';
import type { Scope } from '../contract/references.ts';
import { decide } from '../contract/rules/policy.ts';
import type { Citation } from '../contract/task.ts';
import type { ApiDeps } from './deps.ts';

/** A row, and whose it is. */
export type OwnedRow<Row> = { row: Row; owner: Scope };

/** Whether the policy lets a principal read what others share: the role `agent` has its own tasks only. */
export const mayReadShared = (principal: Principal, resource: 'task' | 'conversation'): boolean =>
  (['shared', 'group'] as const).some((relation) => decide(principal, relation, 'read', resource).allowed);

/**
 * Reads something of the principal's own, else what another has shared with it, as its owner. For requests that only
 * read: a request that changes something reads by its own scope.
 *
 * @param read  reads as this owner
 * @returns undefined when it does not exist, or the principal may not read it
 */
export async function readShared<Row>(
  shares: Pick<ApiDeps['shares'], 'findOwner'>,
  principal: Principal,
  what: Shareable,
  read: (owner: Scope) => Promise<Row | undefined>,
): Promise<OwnedRow<Row> | undefined> {
  const scope = { tenant: principal.tenant, subject: principal.subject };
  const own = await read(scope);
  if (own !== undefined) return { row: own, owner: scope };
  if (!mayReadShared(principal, 'taskId' in what ? 'task' : 'conversation')) return undefined;
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

/** As `forReader`, for events: the one that ends a task has its result. */
export async function eventsForReader<E extends { data?: unknown }>(
  { citations }: Cited,
  reader: Scope,
  events: E[],
): Promise<E[]> {
  const citedBy = ({ data }: E) => (data as { result?: { citations?: Citation[] } } | undefined)?.result?.citations;
  const all = events.flatMap((event) => citedBy(event) ?? []);
  if (all.length === 0) return events;
  const keep = await readableOnly(citations, reader, all);
  return events.map((event) => {
    const cited = citedBy(event);
    if (!cited) return event;
    const data = event.data as { result: object };
    return { ...event, data: { ...data, result: { ...data.result, citations: keep(cited) } } };
  });
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
