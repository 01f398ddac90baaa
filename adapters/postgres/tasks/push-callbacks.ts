import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { PushConfigView } from '../../../contract/callback.ts';
import type { Callbacks, TaskCallbackRef } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Push configs of A2A: a task has one callback, and this is one in another form. */
export const createPushCallbacks = (db: Database): Pick<Callbacks, 'setPush' | 'findPush' | 'removePush'> => ({
  async setPush(task, { id, url, ...proof }) {
    const { rows } = await sql`
      insert into callbacks (task_id, tenant, subject, url, secret, push_id)
      select id, tenant, subject, ${url}, ${JSON.stringify(proof)}, ${id} from tasks
      where id = ${idOf(task)} and tenant = ${task.tenant} and subject = ${task.subject} and erased_at is null
      on conflict (task_id) do update set url = excluded.url, secret = excluded.secret, updated_at = now()
        where callbacks.push_id = excluded.push_id
      returning task_id`.execute(db);
    return rows.length > 0;
  },

  async findPush(task) {
    const { rows } = await sql<PushConfigView>`
      select push_id as id, url from callbacks where ${isPushOf(task)}
        and not exists (select from tasks where id = task_id and erased_at is not null)`.execute(db);
    return rows[0];
  },

  async removePush(task) {
    const { numAffectedRows } = await sql`
      delete from callbacks where ${isPushOf(task)}`.execute(db);
    return Number(numAffectedRows) > 0;
  },
});

const idOf = ({ taskId }: TaskCallbackRef) => sql`${isUuid(taskId) ? taskId : null}::uuid`;

const isPushOf = (task: TaskCallbackRef) =>
  sql`task_id = ${idOf(task)} and tenant = ${task.tenant} and subject = ${task.subject} and push_id is not null`;
