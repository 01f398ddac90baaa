import { sql } from 'kysely';
import type { OpenMessage } from '../../../contract/rules/busy-policy.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Messages that run or wait, and passed-over ones that are not in the chain yet, in order. */
export async function openMessages(db: Database, conversationId: string): Promise<OpenMessage[]> {
  const { rows } = await sql<OpenMessage>`
    select id, task_id as "taskId", state from conversation_messages
    where conversation_id = ${conversationId}
      and (state in ('queued', 'running', 'steering') or (state = 'passed_over' and head is null))
    order by position`.execute(db);
  return rows;
}

/**
 * Whether the running task is to be ended: a later message
 * interrupted it or rolled it back, or a user asked to cancel it.
 */
export async function isEnding(db: Database, conversationId: string, taskId: string): Promise<boolean> {
  const { rows } = await sql<{ ending: boolean }>`
    select exists (select from conversation_messages where running_task_id = ${taskId}::uuid
        and conversation_id = ${conversationId} and outcome in ('interrupted', 'rolled_back'))
      or exists (select from tasks where id = ${taskId}::uuid and cancel_request is not null) as ending`.execute(db);
  return rows[0]?.ending ?? false;
}
