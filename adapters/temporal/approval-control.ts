import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ApprovalDecision } from '../../contract/approval.ts';
import { AlfredError } from '../../contract/errors.ts';
import { updateName } from '../../contract/ids.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { ApprovalControl, ApprovalRow, Approvals, CurrentRights } from '../../contract/ports/index.ts';
import type { Principal } from '../../contract/principal.ts';
import type { Verdict } from '../../contract/references.ts';
import { rolesLeft } from '../../contract/roles.ts';
import { describeVerdict } from '../../contract/rules/approval-rights.ts';
import type { DecisionRequest } from '../../workflows/signals-and-updates.ts';
import { updateTask } from './update-task.ts';

export type ApprovalControlDeps = {
  client: Client;
  approvals: Pick<Approvals, 'get' | 'storeDecision'>;
  rights: CurrentRights;
};

/** How long a decision waits for its task to register the call: a dead worker is noticed after five seconds. */
const registrationDeadlineMs = 8_000;
const retryPauseMs = 100;

export const createApprovalControl = (deps: ApprovalControlDeps): ApprovalControl => ({
  async decide(asker, approvalId, decision) {
    const principal = await narrowed(deps, asker);
    const row = await deps.approvals.get(principal, approvalId);
    if (!row) return undefined;
    if (row.status === 'pending') await decideWhenRegistered(deps, principal, row, decision);
    else checkRepeat(principal, row, decision);
    return deps.approvals.get(principal, approvalId);
  },
});

/**
 * The principal with those roles that its newest token has too. A token lives on for a while after a role was taken;
 * what it approves could not be taken back.
 */
async function narrowed({ rights }: ApprovalControlDeps, principal: Principal): Promise<Principal> {
  const current = await rights.rolesOf(principal);
  return current === undefined ? principal : { ...principal, roles: rolesLeft(principal.roles, current) };
}

/**
 * Sends the decision to the task. Repeats `not_found` for a while: the row is visible a moment before the workflow
 * waits for the decision, and some seconds before when a worker died in between.
 */
async function decideWhenRegistered(
  deps: ApprovalControlDeps,
  principal: Principal,
  row: ApprovalRow,
  decision: ApprovalDecision,
): Promise<void> {
  const deadline = Date.now() + registrationDeadlineMs;
  while (true) {
    try {
      return await decide(deps, principal, row, decision);
    } catch (error) {
      if (!(error instanceof AlfredError) || error.code !== 'not_found') throw error;
      if ((await deps.approvals.get(principal, row.id))?.status !== 'pending') throw error;
      if (Date.now() > deadline) throw new AlfredError('temporal_unavailable', undefined, { cause: error });
      await sleep(retryPauseMs);
    }
  }
}

async function decide(
  { client, approvals }: ApprovalControlDeps,
  principal: Principal,
  row: ApprovalRow,
  { decision, comment, edit, argumentsHash }: ApprovalDecision,
): Promise<void> {
  const note = await approvals.storeDecision(principal, row.id, { comment, edit });
  await updateTask<Verdict, DecisionRequest>(client, row.taskId, updateName.decide, {
    id: row.id,
    approve: decision === 'approve',
    by: principal.subject,
    roles: principal.roles,
    via: principal.via,
    argumentsHash,
    note,
  });
}

/** @throws AlfredError `approval_decided` unless it is the same decision by the same person */
function checkRepeat({ subject }: Principal, { decision }: ApprovalRow, repeat: ApprovalDecision): void {
  if (!decision) throw new AlfredError('approval_decided', 'The task ended before it was decided.');
  const isSame =
    decision.by === subject &&
    decision.runs === (repeat.decision === 'approve') &&
    decision.comment === (repeat.comment ?? null) &&
    canonicalJson(decision.edited) === canonicalJson(repeat.edit ?? null);
  if (isSame) return;
  const status = decision.runs ? 'approved' : 'denied';
  throw new AlfredError('approval_decided', describeVerdict({ ...decision, status }));
}
