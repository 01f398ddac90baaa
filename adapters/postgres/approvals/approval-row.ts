import type { Selectable } from 'kysely';
import type { ApprovalRule, Approvers } from '../../../contract/approval.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { PendingApproval, TaskRef, Verdict } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import type { ApprovalRow, ToolCallKey } from '../../../contract/ports/index.ts';
import { keyCreator } from './approval-rights.ts';

type Columns = Selectable<Tables['approvals']>;

/** A rule as an approval's row keeps it: without the conditions that selected the call. */
export type StoredRule = Omit<ApprovalRule, 'tool' | 'when' | 'unlessRoles'>;

/** Reads an approval that exists. @throws when there is none */
export const readApproval = (db: Database, id: string) =>
  db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

export const findApprovalOfCall = (db: Database, { taskId }: TaskRef, { step, callId }: ToolCallKey) =>
  db
    .selectFrom('approvals as a')
    .selectAll()
    .select(keyCreator.as('key_creator'))
    .where('task_id', '=', taskId)
    .where('step', '=', step)
    .where('call_id', '=', callId)
    .executeTakeFirst();

export const callOf = ({ step, call_id: callId, tool }: Columns) => ({ step, callId, tool });

/** Those who may decide after the escalation: the first approvers and those it adds. */
export const escalatedApprovers = ({
  approvers,
  escalateTo,
}: Pick<StoredRule, 'approvers' | 'escalateTo'>): Approvers => ({
  subjects: [...(approvers?.subjects ?? []), ...(escalateTo?.subjects ?? [])],
  roles: [...(approvers?.roles ?? []), ...(escalateTo?.roles ?? [])],
});

/** What a workflow needs of an approval: the verdict, or who may decide until when. */
export function requestStateOf(
  row: Columns & { key_creator: string | null },
): { pending: PendingApproval } | { verdict: Verdict } {
  if (row.decided_at) return { verdict: verdictOf(row) };
  const { approvers = {}, fourEyes, escalateTo } = row.rule as StoredRule;
  // A run that finds the approval of an earlier run waits no longer than that one would have.
  const expiresS = secondsUntil(row.expires_at);
  const escalateS = row.escalate_at ? secondsUntil(row.escalate_at) : undefined;
  const { id, call_id: callId, tool, arguments_hash: argumentsHash, subject: requester } = row;
  return {
    pending: {
      id,
      callId,
      tool,
      argumentsHash,
      requester,
      approvers,
      fourEyes,
      expiresS,
      escalateS,
      escalateTo,
      ...(row.key_creator !== null && { keyCreator: row.key_creator }),
    },
  };
}

const secondsUntil = (time: Date) => Math.max(0, Math.ceil((time.getTime() - Date.now()) / 1_000));

export const verdictOf = (row: Columns): Verdict => ({
  id: row.id,
  callId: row.call_id,
  status: row.status as Verdict['status'],
  runs: row.decided_hash !== null,
  by: row.decided_by,
  at: row.decided_at?.toISOString() ?? '',
  argumentsHash: row.decided_hash,
});

export function toApprovalRow(selected: Columns): ApprovalRow {
  const rule = selected.rule as StoredRule;
  return {
    id: selected.id,
    taskId: selected.task_id,
    agent: selected.agent,
    tool: selected.tool,
    callId: selected.call_id,
    requestedBy: selected.subject,
    arguments: selected.arguments as JsonValue,
    argumentsHash: selected.arguments_hash,
    status: selected.status as ApprovalRow['status'],
    approvers: selected.escalated_at ? escalatedApprovers(rule) : (rule.approvers ?? {}),
    fourEyes: rule.fourEyes,
    onExpiry: rule.onExpiry,
    requestedAt: selected.requested_at.toISOString(),
    escalatesAt: selected.escalate_at?.toISOString() ?? null,
    escalatedAt: selected.escalated_at?.toISOString() ?? null,
    expiresAt: selected.expires_at.toISOString(),
    decision: selected.decided_at && {
      runs: selected.decided_hash !== null,
      by: selected.decided_by,
      at: selected.decided_at.toISOString(),
      comment: selected.comment,
      edited: selected.edited as JsonValue,
      argumentsHash: selected.decided_hash,
    },
  };
}
