import { sql } from 'kysely';
import type { BudgetLimits, MessageHead, Scope } from '../../../contract/references.ts';
import type { TaskRequest } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Identity } from '../../../contract/ports/index.ts';
import { insertTaskBudget } from './budgets.ts';
import { insertCallback } from './callbacks.ts';

type NewTask = {
  id: string;
  request: Omit<TaskRequest, 'input'>;
  requestHash: string;
  idempotencyKey?: string | undefined;
  conversationId?: string | undefined;
  budget: BudgetLimits;
  head: MessageHead;
};

/**
 * Common table expressions that make a task with all that belongs to it. `task` is its row, and empty when the idempotency
 * key made one before. The one place where tasks are made.
 */
export function insertTask(
  db: Database,
  scope: Scope & Partial<Identity>,
  { id, request, requestHash, idempotencyKey, conversationId, budget, head }: NewTask,
) {
  const row = db
    .insertInto('tasks')
    .values({
      id,
      tenant: scope.tenant,
      subject: scope.subject,
      roles: [...(scope.roles ?? [])],
      agent: request.agent,
      status: 'queued',
      conversation_id: conversationId ?? null,
      metadata: JSON.stringify(request.metadata ?? {}),
      budget: JSON.stringify(budget),
      idempotency_key: idempotencyKey ?? null,
      request_hash: requestHash,
      input_head: head,
      last_seq: 1,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'subject', 'idempotency_key']).where('idempotency_key', 'is not', null).doNothing(),
    )
    .returningAll();
  return sql`task as (${row}), budget as (${insertTaskBudget(budget)}), callback as (${insertCallback(request.callback)}), event as (
    insert into task_events (task_id, seq, type, data)
    select id, 1, 'task.queued', jsonb_build_object('agent', agent) from task)`;
}
