import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { TaskRef, Verdict } from '../../../contract/references.ts';
import { hashArguments } from '../../../runtime/hash.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { DecisionNote, RequestedApproval, Run } from '../../../contract/ports/index.ts';
import { storableJson } from '../storable-json.ts';
import { adoptRun } from '../tasks/reopen.ts';
import { appendApprovalEvent } from './append-approval-event.ts';
import { hasAskedInSlack, hasRotatedKey } from './approval-rights.ts';
import { callOf, readApproval, verdictOf } from './approval-row.ts';

type Decision = {
  task: TaskRef;
  run: Run;
  approval: RequestedApproval;
  status: Verdict['status'];
  /** Whether the call may run. */
  runs: boolean;
  /** The person who decided; null when the time limit did. */
  by: string | null;
  note: DecisionNote;
};

/**
 * Decides about a call once, with the event, in one statement. The end of its task has withdrawn the approval when the
 * run waits for it after a reset and its time is over: while the task is open, that is no decision.
 *
 * @returns the decision that counts: this one, or an earlier one
 * @throws AlfredError `task_ended`
 */
export async function decideApproval(db: Database, decision: Decision): Promise<Verdict> {
  const { task, run, approval, status, runs, by, note } = decision;
  const { id, argumentsHash } = approval;
  await adoptRun(db, task, run);
  const row = await readApproval(db, id);
  const edited = note.edit === undefined ? null : (JSON.parse(storableJson(note.edit)) as JsonValue);
  const hash = runs ? (edited === null ? argumentsHash : hashArguments(edited)) : null;
  const comment = note.comment ?? null;
  const isFirst = await appendApprovalEvent(db, task, {
    before: {
      open_task: selectOpenTask(task, run),
      decided: sql`
        update approvals set status = ${status}, decided_at = now(), decided_by = ${by}::text, comment = ${comment}::text,
          edited = ${edited === null ? null : JSON.stringify(edited)}::jsonb, decided_hash = ${hash}::text
        where id = ${id} and status in ('pending', 'withdrawn') and exists (select from open_task) returning id`,
      // What a person decides is an entry of the API.
      ...(status === 'expired' && {
        audited: sql`
          insert into audit_pending (tenant, subject, via, action, resource_type, resource_id, outcome)
          select ${task.tenant}::text, ${task.subject}::text, 'expiry', 'approval.expire', 'approval', id::text, 'ok' from decided`,
      }),
    },
    when: sql`exists (select from decided)`,
    event: {
      type: 'approval.decided',
      data: { ...callOf(row), approvalId: id, decision: status, runs, by, comment, argumentsHash: hash, edited },
    },
  });
  const decided = await readApproval(db, id);
  if (!decided.decided_at) throw new AlfredError('task_ended', 'The task ended before this was decided.');
  return isFirst ? { ...verdictOf(decided), argumentsHash: hash } : verdictOf(decided);
}

/**
 * Refuses, where four eyes decide, a person who is behind the requester in a way that the workflow does not know: who
 * has known the secret of the API key that requests, and who has asked in the Slack thread. The workflow knows who made
 * a key. Who rotates it may do so while the approval waits, so that it is asked at the decision.
 *
 * @throws AlfredError `approval_forbidden`
 */
export async function refuseSamePerson(db: Database, approvalId: string, by: string): Promise<void> {
  const { rows } = await sql<{ rotated: boolean; asked: boolean }>`
    select ${hasRotatedKey(by)} as rotated, ${hasAskedInSlack(by)} as asked from approvals a where a.id = ${approvalId} and a.status = 'pending' and (a.rule ->> 'fourEyes')::boolean`.execute(
    db,
  );
  if (rows[0]?.asked)
    throw new AlfredError(
      'approval_forbidden',
      'You have asked in the Slack thread that this comes from. Another person than those who asked there must decide.',
    );
  if (rows[0]?.rotated)
    throw new AlfredError(
      'approval_forbidden',
      'You have rotated the API key that asks for this, so you have known its secret. Another person must decide.',
    );
}

/**
 * The task's row while the task is open for this run. It is locked
 * before the task's approvals; ending a task locks in the same order.
 */
export const selectOpenTask = ({ taskId }: TaskRef, { runId }: Run) => sql`
  select id from tasks where id = ${taskId} and ended_at is null and run_id = ${runId} for update`;
