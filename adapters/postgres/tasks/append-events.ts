import { sql, type RawBuilder } from 'kysely';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { BudgetLimits, TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { storableJson } from '../storable-json.ts';
import { assignments, withQueries, type Columns, type Queries } from '../with-queries.ts';
import { unflushedText, type Unflushed } from './unflushed-text.ts';

type TaskChange = {
  events: (NewTaskEvent | Pick<NewTaskEvent, 'type'>)[];
  /** The data of the events, as an expression of `task`. Default: what each event names. */
  data?: RawBuilder<unknown>;
  /** Further columns of `task`, for `data`, `after` and `returning`. */
  columns?: (keyof Tables['tasks'])[];
  /** The condition for the change. Postgres checks it again after it has waited for the row's lock. */
  when?: RawBuilder<unknown>;
  /** Columns of the task to set, beside `last_seq` and `updated_at`. */
  set?: Columns<'tasks'>;
  /** Queries before the change; `when` may ask whether they wrote a row. */
  before?: Queries;
  /**
   * No query of `before` writes while `(select ok from intact)` is false: Postgres has lost text of the task. `intact`
   * locks the task's row, after the rows of these queries. Without this promise it is asked before the statement, by
   * another one.
   */
  intactAfter?: Queries;
  /** A further condition of `intact`, on the task's row. */
  intactIf?: RawBuilder<unknown>;
  /** An expression to return as `returned`. */
  returning?: RawBuilder<unknown>;
  /** Queries after the change; they may use `task`, the changed row, which is empty when the condition did not hold. */
  after?: Queries;
  /**
   * Appends no events to a task that has ended, so that its
   * last event stays the last. The row is changed all the same.
   */
  silentAfterEnd?: boolean;
  /**
   * Streamed text: the commit does not wait for the disk and notifies no
   * follower; see `unflushedText` and `createTextNotifier`.
   */
  isText?: boolean;
};

type Appended = { last_seq: number; budget: BudgetLimits; conversation_id: string | null; returned: unknown };
type Owner = Pick<TaskRef, 'taskId' | 'tenant' | 'subject'>;

/**
 * Changes a task's row and appends events in one statement: one round trip,
 * one transaction. The row's lock keeps the sequence numbers without gaps.
 *
 * Events of a conversation's task are numbered in the conversation too. Every
 * transaction that locks both rows locks the task first, then the conversation.
 *
 * @returns the row's newest sequence number and budget, or undefined when the condition did not hold
 */
export async function appendEvents(db: Database, task: Owner, change: TaskChange): Promise<Appended | undefined> {
  let hasTriedAgain = false;
  while (true) {
    const unflushed = unflushedText.get(task.taskId);
    const isAskedByStatement = change.isText === true || change.intactAfter !== undefined;
    // Asked before, because other queries of the statement take effect also when the task's row stays as it is.
    if (!isAskedByStatement) await storeLostText(db, task);
    const appended = await writeEvents(db, task, change, isAskedByStatement ? (unflushed?.lastSeq ?? null) : null);
    if (!appended && isAskedByStatement) {
      const isStored = await storeLostText(db, task);
      // Another statement of this process may have stored it meanwhile.
      if (isStored || (unflushed && !hasTriedAgain)) {
        hasTriedAgain = !isStored;
        continue;
      }
    }
    // A transaction may still fail. Its pieces are remembered until the task's next change.
    if ((!change.isText || !appended) && !db.isTransaction) unflushedText.forget(task.taskId);
    return appended;
  }
}

/** Columns of the changed row, `task`. */
const alwaysReturned = ['id', 'last_seq', 'budget', 'ended_at', 'conversation_id'] as const;

/** @param leastSeq nothing is changed while the row of an open task has a lower number: Postgres has lost events */
async function writeEvents(
  db: Database,
  { taskId, tenant, subject }: Owner,
  change: TaskChange,
  leastSeq: number | null,
): Promise<Appended | undefined> {
  const { events, when = sql`true`, set = {}, before = {}, after = {}, returning = sql`null` } = change;
  const { silentAfterEnd = false, isText = false, intactAfter, intactIf = sql`true` } = change;
  const types = events.map(({ type }) => type);
  const data = events.map((event) => storableJson('data' in event ? event.data : {}));
  const number = sql`${events.length}::int`;
  const mayAppend = silentAfterEnd ? sql`task.ended_at is null` : sql`true`;
  const columns = {
    last_seq: silentAfterEnd
      ? sql`last_seq + case when ended_at is null then ${number} else 0 end`
      : sql`last_seq + ${number}`,
    updated_at: sql`now()`,
    // An activity that outlived its deleted task has written: the sweep erases the task once more.
    erase_requested_at: sql`case when erased_at is not null and ended_at is not null then now() else erase_requested_at end`,
    ...set,
  };
  const hasText = sql`(${leastSeq}::int is null or last_seq >= ${leastSeq}::int or ended_at is not null)`;
  const returned = sql.join([...alwaysReturned, ...(change.columns ?? [])].map((column) => sql.ref(column)));
  const queries = {
    ...(intactAfter === undefined
      ? {}
      : {
          ...intactAfter,
          intact: sql`select ${hasText} and coalesce(${intactIf}, false) as ok from tasks where id = ${taskId} ${lockAfter(intactAfter)}`,
        }),
    ...before,
    task: sql`
      update tasks set ${assignments(columns)}
      where id = ${taskId} and tenant = ${tenant} and subject = ${subject} and ${when}
        and ${intactAfter === undefined ? hasText : sql`true`}
      returning ${returned}`,
    conversation: sql`
      update conversations c set last_seq = c.last_seq + ${number}, updated_at = now()
      from task where c.id = task.conversation_id and ${mayAppend}
      returning c.id, c.last_seq, task.id as task_id, task.last_seq as task_seq`,
    inserted: sql`
      insert into task_events (task_id, seq, conversation_seq, type, data)
      select task.id, task.last_seq - ${number} + e.ordinality, c.last_seq - ${number} + e.ordinality, e.type, ${change.data ?? sql`e.data`}
      from unnest(${types}::text[], ${data}::jsonb[]) with ordinality as e (type, data, ordinality),
        task left join conversation c on true
      where ${mayAppend}`,
    mirrored: sql`
      insert into conversation_events (conversation_id, seq, task_id, task_seq)
      select c.id, c.last_seq - n, c.task_id, c.task_seq - n
      from conversation c, generate_series(0, ${number} - 1) n`,
    ...after,
  };
  // `npm start` sets `alfred.text_commit=on`: there everything may be killed at once.
  const effect = isText
    ? sql`set_config('synchronous_commit', coalesce(nullif(current_setting('alfred.text_commit', true), ''), 'off'), true)`
    : sql`pg_notify(${taskEventsChannel}, id::text || case when ended_at is null then '' else ' end' end),
        (select pg_notify(${taskEventsChannel}, c.id) from conversation c)`;
  const { rows } = await sql<Appended>`
    ${withQueries(queries)}
    select last_seq, budget, conversation_id, ${returning} as returned, ${effect} from task`.execute(db);
  return rows[0];
}

/** Locks rows after those of other queries: the counts make Postgres run these first. */
const lockAfter = (queries: Queries) => {
  const counted = Object.keys(queries).map((name) => sql`and (select count(*) from ${sql.id(name)}) >= 0`);
  return sql`${sql.join(counted, sql` `)} for update`;
};

/**
 * Stores the text pieces of this process again that a crash of Postgres took back.
 *
 * @returns false when none was lost, or the task has ended
 */
export async function storeLostText(db: Database, task: Owner): Promise<boolean> {
  const unflushed = unflushedText.get(task.taskId);
  if (!unflushed) return false;
  const { lastSeq, pieces } = unflushed;
  const row = await selectOpen(db, task).executeTakeFirst();
  if (!row || row.last_seq >= lastSeq) return false;
  const store = async (trx: Database) => {
    // Locked, so that no other process appends between the question and its answer.
    const locked = await selectOpen(trx, task).forUpdate().executeTakeFirst();
    if (!locked || locked.last_seq >= lastSeq) return false;
    const taken = await listTaken(trx, task.taskId, pieces);
    const lost = pieces.filter(({ seq }) => seq > locked.last_seq || taken.has(seq)).map(({ event }) => event);
    return (await writeEvents(trx, task, { events: lost }, null)) !== undefined;
  };
  // A transaction of the caller may still fail.
  if (db.isTransaction) return store(db);
  const isStored = await db.transaction().execute(store);
  if (isStored) unflushedText.flushed(task.taskId, lastSeq);
  return isStored;
}

const selectOpen = (db: Database, { taskId }: Owner) =>
  db.selectFrom('tasks').select('last_seq').where('id', '=', taskId).where('ended_at', 'is', null);

/** The numbers of pieces that belong to other events: another process appended these since the crash. */
async function listTaken(db: Database, taskId: string, pieces: Unflushed['pieces']): Promise<Set<number>> {
  const { rows } = await sql<{ seq: number }>`
    select e.seq from task_events e
      join unnest(${pieces.map(({ seq }) => seq)}::int[], ${pieces.map(({ event }) => storableJson(event.data))}::jsonb[])
        as piece (seq, data) on piece.seq = e.seq
    where e.task_id = ${taskId} and e.piece_ends is null and (e.type <> 'text.delta' or e.data <> piece.data)`.execute(
    db,
  );
  return new Set(rows.map(({ seq }) => seq));
}
