import { sql } from 'kysely';
import type { Delegations } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { beginDelegation } from './begin-delegation.ts';
import { readWaits } from './read-waits.ts';
import { settleDelegation } from './settle-delegation.ts';

/**
 * Delegated tasks. The budget of a parent is charged with the share of an open child, as with the worst case of an open
 * model call, and with its real cost afterwards. So the statement that reserves a model call counts children without
 * knowing of them, and all spending below a task fits into its limits.
 */
export const createDelegations = (db: Database): Delegations => ({
  begin: (parent, run, delegation) => db.transaction().execute((trx) => beginDelegation(trx, parent, run, delegation)),

  settle: (parent, call, end) => db.transaction().execute((trx) => settleDelegation(trx, parent, call, end)),

  async listOpenBelow({ taskId, tenant, subject }) {
    const { rows } = await sql<{
      parent_id: string;
      parent_agent: string;
      step: number;
      call_id: string;
      child_id: string;
      agent: string;
    }>`
      select d.parent_id, p.agent as parent_agent, d.step, d.call_id, d.child_id, t.agent
      from tasks t join delegations d on d.child_id = t.id join tasks p on p.id = d.parent_id
      where t.parent_id is not null and t.ancestors @> array[${taskId}::uuid] and t.tenant = ${tenant}
        and t.subject = ${subject} and d.ended_at is null
      order by cardinality(t.ancestors) desc, t.id`.execute(db);
    return rows.map(({ parent_id, parent_agent, step, call_id: callId, child_id, agent }) => ({
      parent: { taskId: parent_id, tenant, subject, agent: parent_agent },
      call: { step, callId },
      child: { taskId: child_id, tenant, subject, agent },
    }));
  },

  readWaits: (task, sinceMs) => readWaits(db, task, sinceMs),

  async listChain({ taskId }) {
    const { rows } = await sql<{ agent: string }>`
      select a.agent from tasks t join tasks a on a.id = any(t.id || t.ancestors) where t.id = ${taskId}`.execute(db);
    return rows.map(({ agent }) => agent);
  },
});
