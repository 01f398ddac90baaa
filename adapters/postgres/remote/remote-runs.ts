import { sql, type UpdateObject } from 'kysely';
import type { RemoteRef, RemoteRun, RemoteRuns } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

type Row = Pick<Tables['remote_runs'], 'url' | 'state' | 'call_id' | 'remote_id' | 'context_id' | 'sent_at'>;

const everyState = ['begun', 'sending', 'running', 'ended'] as const;

/** The runs of tasks at agents that work elsewhere. Each statement reaches a row through its task and its owner. */
export const createRemoteRuns = (db: Database): RemoteRuns => {
  const find = async (task: TaskRef): Promise<RemoteRun | undefined> => {
    const row = await db
      .selectFrom('remote_runs as r')
      .innerJoin('tasks as t', 't.id', 'r.task_id')
      .select(['r.url', 'r.state', 'r.call_id', 'r.remote_id', 'r.context_id', 'r.sent_at'])
      .where('r.task_id', '=', task.taskId)
      .where('t.tenant', '=', task.tenant)
      .where('t.subject', '=', task.subject)
      .executeTakeFirst();
    return row && runOf(row);
  };
  const isOf = ({ taskId, tenant, subject }: TaskRef) => sql<boolean>`
    task_id = ${taskId} and exists (
      select from tasks t where t.id = ${taskId} and t.tenant = ${tenant} and t.subject = ${subject})`;

  const change = async (
    task: TaskRef,
    callId: string,
    from: readonly RemoteRun['state'][],
    to: UpdateObject<Tables, 'remote_runs'>,
  ): Promise<boolean> => {
    const { numUpdatedRows } = await db
      .updateTable('remote_runs')
      .set(to)
      .where(isOf(task))
      .where('call_id', '=', callId)
      .where('state', 'in', from)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  };

  return {
    find,

    async begin(task, { runId }, { callId, url }) {
      const { taskId, tenant, subject } = task;
      await sql`
        insert into remote_runs as r (task_id, url, call_id, run_id, state)
        select id, ${url}, ${callId}::uuid, ${runId}, 'begun' from tasks
        where id = ${taskId} and tenant = ${tenant} and subject = ${subject}
        on conflict (task_id) do update set url = excluded.url, call_id = excluded.call_id, run_id = excluded.run_id,
          state = 'begun', remote_id = null, context_id = null, asks = false, sent_at = null
        where r.state = 'ended' and r.run_id <> excluded.run_id`.execute(db);
      const run = await find(task);
      if (!run) throw new Error(`no row of the remote run of ${taskId}`);
      return run;
    },

    markSending: (task, callId) => change(task, callId, ['begun'], { state: 'sending', sent_at: sql`now()` }),

    // Repeated after a lost answer of the database, it finds its own row.
    markRunning: (task, callId, { remoteId, contextId }) =>
      change(task, callId, ['sending', 'running'], {
        state: 'running',
        remote_id: remoteId,
        context_id: contextId ?? null,
      }),

    renew: (task, callId, newCallId) =>
      change(task, callId, ['sending'], { state: 'begun', call_id: newCallId, sent_at: null, asks: false }),

    noteEnd: (task, callId, { remoteId, contextId, asks }) =>
      change(task, callId, everyState, {
        asks,
        ...(remoteId === undefined ? {} : { remote_id: remoteId }),
        ...(contextId === undefined ? {} : { context_id: contextId }),
      }),

    markEnded: (task, callId) => change(task, callId, everyState, { state: 'ended' }),

    findEarlier: (task, url) => findEarlier(db, task, url),
  };
};

/** The newest run of the same conversation and agent that has a conversation there. */
async function findEarlier(
  db: Database,
  { taskId, tenant, subject, agent }: TaskRef,
  url: string,
): Promise<Partial<RemoteRef> | undefined> {
  const { rows } = await sql<{ remote_id: string | null; context_id: string; asks: boolean }>`
    select r.remote_id, r.context_id, r.asks
    from tasks mine
      join tasks t on t.tenant = mine.tenant and t.subject = mine.subject and t.conversation_id = mine.conversation_id
      join remote_runs r on r.task_id = t.id
    where mine.id = ${taskId} and mine.tenant = ${tenant} and mine.subject = ${subject}
      and t.id <> mine.id and t.agent = ${agent} and r.url = ${url} and r.context_id is not null
    order by r.created_at desc limit 1`.execute(db);
  const [row] = rows;
  if (!row) return undefined;
  return { contextId: row.context_id, ...(row.asks && row.remote_id !== null ? { remoteId: row.remote_id } : {}) };
}

const runOf = ({ url, state, call_id, remote_id, context_id, sent_at }: Row): RemoteRun => ({
  url,
  state,
  callId: call_id,
  sentAt: sent_at ?? undefined,
  ...(remote_id === null ? {} : { remoteId: remote_id }),
  ...(context_id === null ? {} : { contextId: context_id }),
});
