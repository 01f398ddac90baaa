import { sql } from 'kysely';
import { keptPrincipalOf, type Requester } from '../../../contract/principal.ts';
import type { BudgetLimits, MessageHead } from '../../../contract/references.ts';
import type { TaskRequest } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { insertTaskBudget } from './budgets.ts';
import { insertCallback } from './callbacks.ts';
import { taskColumns } from './task-row.ts';
import type { Queries } from '../with-queries.ts';

type NewTask = {
  id: string;
  /** When it was asked for. Now, unless it waited for its turn. */
  createdAt?: Date | undefined;
  request: Omit<TaskRequest, 'input'>;
  requestHash: string;
  idempotencyKey?: string | undefined;
  conversationId?: string | undefined;
  scheduleId?: string | undefined;
  budget: BudgetLimits;
  /** Of what the tenant has set for the agent. */
  settingsVersion?: number | null | undefined;
  head: MessageHead;
  /** The task that delegates this one, and the tasks above this one. */
  parent?: { id: string; ancestors: string[] } | undefined;
};

/**
 * Queries that insert a task with its budget, callback and first event. `task` is the inserted row;
 * it is empty when the idempotency key belongs to an earlier task. All tasks are inserted here.
 */
export function insertTask(
  db: Database,
  principal: Requester,
  {
    id,
    createdAt,
    request,
    requestHash,
    idempotencyKey,
    conversationId,
    scheduleId,
    budget,
    settingsVersion,
    head,
    parent,
  }: NewTask,
): Queries {
  const row = db
    .insertInto('tasks')
    .values({
      id,
      tenant: principal.tenant,
      subject: principal.subject,
      roles: [...(principal.roles ?? [])],
      principal: keptPrincipalOf(principal) ?? null,
      agent: request.agent,
      status: 'queued',
      conversation_id: conversationId ?? null,
      schedule_id: scheduleId ?? null,
      settings_version: settingsVersion ?? null,
      ...(parent ? { parent_id: parent.id, ancestors: parent.ancestors } : {}),
      metadata: JSON.stringify(request.metadata ?? {}),
      budget: JSON.stringify(budget),
      idempotency_key: idempotencyKey ?? null,
      request_hash: requestHash,
      input_head: head,
      last_seq: 1,
      priority: request.priority ?? null,
      ...(createdAt === undefined ? {} : { created_at: createdAt }),
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'subject', 'idempotency_key']).where('idempotency_key', 'is not', null).doNothing(),
    )
    .returning(taskColumns);
  return {
    task: row,
    budget: insertTaskBudget(budget),
    callback: insertCallback(request.callback),
    event: sql`
      insert into task_events (task_id, seq, type, data)
      select id, 1, 'task.queued', jsonb_build_object('agent', agent) from task`,
  };
}
