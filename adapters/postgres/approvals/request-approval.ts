import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { JsonValue } from '../../../contract/json.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { hashArguments } from '../../../runtime/hash.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Run, ToolCallKey } from '../../../contract/ports/index.ts';
import { storableJson } from '../storable-json.ts';
import { appendApprovalEvent } from './append-approval-event.ts';
import type { StoredRule } from './approval-row.ts';
import { selectOpenTask } from './decide-approval.ts';

type CallToApprove = ToolCallKey & { tool: string; arguments: JsonValue; rule: StoredRule };

/**
 * Stores the request for an approval with its event, unless it is stored
 * already. A withdrawn request becomes pending again under a new id.
 */
export async function requestApproval(
  db: Database,
  task: TaskRef,
  run: Run,
  { step, callId, tool, arguments: args, rule }: CallToApprove,
): Promise<void> {
  const id = newId();
  const hash = hashArguments(args);
  const { tenant, subject, agent } = task;
  const { expiresS, escalateS = null, approvers = {}, fourEyes } = rule;
  await appendApprovalEvent(db, task, {
    before: {
      open_task: selectOpenTask(task, run),
      requested: sql`
        insert into approvals as a (id, tenant, subject, task_id, agent, step, call_id, tool, arguments, arguments_hash,
          rule, escalate_at, expires_at)
        select ${id}::uuid, ${tenant}, ${subject}, id, ${agent}, ${step}::int, ${callId}, ${tool},
          ${storableJson(args)}::jsonb, ${hash}, ${JSON.stringify(rule)}::jsonb,
          now() + ${escalateS}::float8 * interval '1 s', now() + ${expiresS}::float8 * interval '1 s'
        from open_task
        on conflict (task_id, step, call_id) do update set id = excluded.id, status = 'pending', requested_at = now(),
          escalate_at = excluded.escalate_at, escalated_at = null, expires_at = excluded.expires_at
          where a.status = 'withdrawn'
        returning a.id`,
    },
    when: sql`ended_at is null and run_id = ${run.runId} and exists (select from requested)`,
    event: {
      type: 'approval.requested',
      data: {
        step,
        callId,
        tool,
        approvalId: id,
        arguments: args,
        argumentsHash: hash,
        approvers,
        fourEyes,
        expiresAt: new Date(Date.now() + expiresS * 1_000).toISOString(),
      },
    },
  });
}

/**
 * Withdraws what a run before a reset has asked and this one does not: a task waits for calls of one step at a time.
 *
 * @param calls what this run asks at its step
 */
export async function withdrawOthers(db: Database, task: TaskRef, run: Run, calls: ToolCallKey[]): Promise<void> {
  const asked = JSON.stringify(calls.map(({ step, callId }) => ({ step, call_id: callId })));
  await sql`
    with open_task as (${selectOpenTask(task, run)})
    update approvals a set status = 'withdrawn' from open_task
    where a.task_id = open_task.id and a.status = 'pending' and not exists (
      select from jsonb_to_recordset(${asked}::jsonb) as c(step int, call_id text)
      where c.step = a.step and c.call_id = a.call_id)`.execute(db);
}
