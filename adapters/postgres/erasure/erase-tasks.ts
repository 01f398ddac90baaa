import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { removeWithContents } from './unused-contents.ts';

/** Tasks per transaction. Few, because all who store a content of the subject wait for it. */
const batchSize = 20;

/**
 * Removes the contents and events of tasks that have ended, a few tasks at a time. Their rows and those of their
 * model calls stay without contents, so that the reported spending stays right. Their messages stay: see the callers.
 *
 * Safe to repeat: each transaction removes rows together with the contents that only they name. A task of a
 * conversation keeps the hash of its question, which leads to the conversation's messages.
 *
 * @param heads the responses whose messages were removed; all, when it is absent. A task that got another one meanwhile
 *              stays due.
 */
export async function eraseTasks(db: Database, scope: Scope, taskIds: string[], heads?: string[]): Promise<void> {
  for (let start = 0; start < taskIds.length; start += batchSize) {
    const ids = taskIds.slice(start, start + batchSize);
    // The largest table names no contents, so no other transaction waits for this.
    await sql`delete from task_events where task_id = any(${ids}::uuid[])`.execute(db);
    await removeWithContents(db, scope, async (trx) => {
      await sql`select from tasks where id = any(${ids}::uuid[]) order by id for update`.execute(trx);
      const contents = await listContents(trx, ids);
      // Events that a task's last activity appended meanwhile.
      for (const table of [
        'task_events',
        'tool_calls',
        'approvals',
        'callbacks',
        'artifacts',
        'task_readers',
        'task_steering',
        'remote_runs',
        'slack_feedback',
      ] as const)
        await sql`delete from ${sql.table(table)} where task_id = any(${ids}::uuid[])`.execute(trx);
      await sql`
        update model_calls set result_hash = null,
          head = case when ${heads ?? null}::text[] is null or head = any(${heads ?? null}::text[]) then null else head end
        where task_id = any(${ids}::uuid[])`.execute(trx);
      await sql`
        update tasks set erased_at = coalesce(erased_at, now()), metadata = '{}',
          erase_requested_at = case when exists (
            select from model_calls c where c.task_id = tasks.id and c.head is not null) then erase_requested_at end,
          result_hash = null, error_message = null, waiting = null, cancel_request = null,
          input_head = case when conversation_id is null then '' else input_head end
        where id = any(${ids}::uuid[])`.execute(trx);
      return contents;
    });
  }
}

/** The hashes of the contents that tasks name. */
async function listContents(db: Database, ids: string[]): Promise<string[]> {
  const { rows } = await sql<{ hash: string }>`
    select hash from (
      select result_hash from tasks where id = any(${ids}::uuid[])
      union select result_hash from model_calls where task_id = any(${ids}::uuid[])
      union select result_hash from tool_calls where task_id = any(${ids}::uuid[])
      union select full_hash from tool_calls where task_id = any(${ids}::uuid[])
      union select content_hash from artifacts where task_id = any(${ids}::uuid[])
      union select unnest(note_hashes) from approvals where task_id = any(${ids}::uuid[])
    ) named (hash) where hash is not null`.execute(db);
  return rows.map(({ hash }) => hash);
}
