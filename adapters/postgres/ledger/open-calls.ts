import { sql, type RawBuilder } from 'kysely';
import { terminalTypes } from '../../../contract/events.ts';
import type { Ledger, Purpose } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { isAbandoned } from '../tasks/is-abandoned.ts';
import { inOrderOfSums } from './usage.ts';

type OpenCalls = Pick<Ledger, 'listOpenCalls' | 'stateOfCall' | 'writeOffOpenCalls' | 'writeOffLost'>;

/** Calls under way, and those that were never heard of again. */
export const createOpenCalls = (db: Database): OpenCalls => ({
  listOpenCalls: (task, only) => listOpenCalls(db, task, only),

  async stateOfCall({ taskId }, callId) {
    const row = await db
      .selectFrom('tasks as t')
      .leftJoin('model_calls as c', (join) => join.onRef('c.task_id', '=', 't.id').on('c.call_id', '=', callId))
      .leftJoin('model_calls as paid', (join) =>
        join
          .onRef('paid.task_id', '=', 'c.task_id')
          .onRef('paid.step', '=', 'c.step')
          .onRef('paid.purpose', '=', 'c.purpose')
          .on('paid.outcome', '=', 'completed'),
      )
      .select(['t.cancel_request', 'c.outcome', 'paid.id as paid_id'])
      .select([hasEndedSince.as('has_ended'), isAbandoned.as('is_abandoned')])
      .where('t.id', '=', taskId)
      .executeTakeFirst();
    if (!row || row.has_ended || row.is_abandoned || row.cancel_request !== null) return 'ended';
    return row.outcome === 'open' && row.paid_id === null ? 'open' : 'superseded';
  },

  async writeOffOpenCalls({ taskId }) {
    await writeOff(db, sql`t.id = ${taskId}`, true);
  },

  writeOffLost: () => writeOff(db, sql`t.ended_at < now() - interval '20 minutes'`, false),
});

/**
 * Whether the task has ended, or had ended since the call `c` began: a person has terminated the workflow of the call
 * and reset it, and the new run makes a call of its own.
 */
const hasEndedSince = sql<boolean>`
  t.ended_at is not null or exists (
    select from task_events e
    where e.task_id = t.id and e.at >= c.created_at and e.type in (${sql.join(terminalTypes)}))`;

/** Lists the ids of a task's open calls, of one step and purpose or all. */
export async function listOpenCalls(
  db: Database,
  { taskId }: TaskRef,
  only?: { step: number; purpose: Purpose },
): Promise<string[]> {
  const rows = await db
    .selectFrom('model_calls')
    .select('call_id')
    .where('task_id', '=', taskId)
    .where('outcome', '=', 'open')
    .$if(only !== undefined, (query) =>
      query.where('step', '=', only?.step ?? 0).where('purpose', '=', only?.purpose ?? ''),
    )
    .execute();
  return rows.flatMap(({ call_id }) => call_id ?? []);
}

/**
 * Marks open calls of these tasks as lost, which counts them as usage with their worst case. Of a task whose row is
 * locked it marks none when `isPatient` is false.
 *
 * @returns their number
 */
async function writeOff(db: Database, whichTasks: RawBuilder<unknown>, isPatient: boolean): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with locked_tasks as (
      select t.id from tasks t
      where t.id = any(array(select distinct task_id from model_calls where outcome = 'open')) and ${whichTasks}
      order by t.id for update ${isPatient ? sql`` : sql`skip locked`}
    ), stale as (
      select c.id from model_calls c where c.outcome = 'open' and c.task_id in (select id from locked_tasks)
      ${inOrderOfSums} for update of c skip locked
    ), lost as (
      update model_calls c set outcome = 'lost', ended_at = now() from stale where c.id = stale.id
      returning c.task_id, c.input_tokens, c.output_tokens, c.cost_usd
    ), spent as (
      update tasks set model_calls = model_calls + l.n, input_tokens = tasks.input_tokens + l.input,
        output_tokens = tasks.output_tokens + l.output, cost_usd = tasks.cost_usd + l.cost
      from (select task_id, count(*) as n, sum(input_tokens) as input, sum(output_tokens) as output, sum(cost_usd) as cost
            from lost group by task_id) l
      where tasks.id = l.task_id
    )
    select count(*) as n from lost`.execute(db);
  return rows[0]?.n ?? 0;
}
