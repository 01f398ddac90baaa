import { sql } from 'kysely';
import type { Delegations } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { beginDelegation } from './begin-delegation.ts';
import { settleDelegation } from './settle-delegation.ts';

/**
 * Delegated tasks. The budget of a parent is charged with the share of an open child, as with the worst case of an open
 * model call, and with its real cost afterwards. So the statement that reserves a model call counts children without
 * knowing of them, and all spending below a task fits into its limits.
 */
export const createDelegations = (db: Database): Delegations => ({
  begin: (parent, run, delegation) => db.transaction().execute((trx) => beginDelegation(trx, parent, run, delegation)),

  settle: (parent, call, end) => db.transaction().execute((trx) => settleDelegation(trx, parent, call, end)),

  async listChain({ taskId }) {
    const { rows } = await sql<{ agent: string }>`
      select a.agent from tasks t join tasks a on a.id = any(t.id || t.ancestors) where t.id = ${taskId}`.execute(db);
    return rows.map(({ agent }) => agent);
  },
});
