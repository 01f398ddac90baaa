import { validate as isUuid } from 'uuid';
import type { TaskRow } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { firstWords } from '../../../contract/rules/first-words.ts';
import { readThreadAbove } from '../../../contract/rules/thread-above.ts';
import type { Task } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { sql } from 'kysely';
import { scheduleOf } from './schedule-of-message.ts';

/** How much of a message stands in `asked`, as for every task. */
const askedLength = 120;

const noUsage = {
  modelCalls: 0,
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  costUsd: 0,
};

/** Whether the task of the message `m` may have no row. The condition is that of an index. */
export const withoutTask = sql<boolean>`m.state in ('queued', 'steering', 'passed_over', 'rolled_back', 'dropped')`;

/** The messages whose tasks have no row: those that wait for their turns, and those that will have none. */
const selectWithoutTask = (db: Database, taskId: string) =>
  db
    .selectFrom('conversation_messages as m')
    .innerJoin('conversations as c', 'c.id', 'm.conversation_id')
    .where(withoutTask)
    .where('m.task_id', '=', taskId)
    .where('c.deleted_at', 'is', null)
    .where((is) =>
      is.not(is.exists(is.selectFrom('tasks as own').select('own.id').whereRef('own.id', '=', 'm.task_id'))),
    );

const waits = (state: string) => state === 'queued' || state === 'steering';

/** Whether a message waits whose task has this id. */
export async function isComing(db: Database, taskId: string): Promise<boolean> {
  const message = await selectWithoutTask(db, taskId).select('m.state').executeTakeFirst();
  return message !== undefined && waits(message.state);
}

/**
 * The task of a message that waits for its turn, as it will be; of one that will have no turn, as cancelled.
 *
 * @returns undefined when the task has a row, or there is no such message
 */
export async function findComingTask(
  db: Database,
  { tenant, subject }: Scope,
  taskId: string,
): Promise<TaskRow | undefined> {
  if (!isUuid(taskId)) return undefined;
  const row = await selectWithoutTask(db, taskId)
    .leftJoin('contents as t', (join) =>
      join.on('t.tenant', '=', tenant).on('t.subject', '=', subject).onRef('t.hash', '=', 'm.content_hash'),
    )
    .select(['c.id as conversation', 'c.agent', 'm.id as message', 'm.request', 'm.created_at', 'm.state'])
    .select(sql<string | null>`convert_from(t.bytes, 'UTF8')`.as('text'))
    .where('c.tenant', '=', tenant)
    .where('c.subject', '=', subject)
    .executeTakeFirst();
  if (!row) return undefined;
  const { metadata = {}, budget = {} } = row.request as Partial<Pick<Task, 'metadata' | 'budget'>>;
  return {
    id: taskId,
    agent: row.agent,
    status: waits(row.state) ? 'queued' : 'cancelled',
    model: null,
    conversationId: row.conversation,
    scheduleId: (await scheduleOf(db, { tenant, subject }, row.message)) ?? null,
    asked: row.text === null ? null : firstWords(readThreadAbove(row.text).words, askedLength),
    input: row.text === null ? null : { text: row.text },
    metadata,
    budget,
    result: null,
    error: null,
    waiting: null,
    effects: [],
    usage: noUsage,
    lastSeq: 0,
    createdAt: row.created_at.toISOString(),
    startedAt: null,
    endedAt: null,
  };
}
