import { sql, type RawBuilder } from 'kysely';
import type { Ledger } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

type OpenCalls = Pick<Ledger, 'listOpenCalls' | 'stateOfCall' | 'writeOffOpenCalls' | 'writeOffLost'>;

/** Calls under way, and those that were never heard of again. */
export const createOpenCalls = (db: Database): OpenCalls => ({
  async listOpenCalls({ taskId }, only) {
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
  },

  async stateOfCall({ taskId }, callId) {
    const row = await db
      .selectFrom('tasks as t')
      .leftJoin('model_calls as c', (join) => join.onRef('c.task_id', '=', 't.id').on('c.call_id', '=', callId))
      .select(['t.ended_at', 'c.outcome'])
      .where('t.id', '=', taskId)
      .executeTakeFirst();
    if (!row || row.ended_at !== null) return 'ended';
    return row.outcome === 'open' ? 'open' : 'superseded';
  },

  async writeOffOpenCalls({ taskId }) {
    await writeOff(db, sql`t.id = ${taskId}`);
  },

  writeOffLost: () => writeOff(db, sql`t.ended_at < now() - interval '20 minutes'`),
});

/** Marks open calls of these tasks as lost, which counts them as usage with their worst case. @returns their number */
async function writeOff(db: Database, whichTasks: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    with stale as (
      select c.id from model_calls c join tasks t on t.id = c.task_id
      where c.outcome = 'open' and ${whichTasks} for update of c skip locked
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
