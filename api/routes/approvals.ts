import { setTimeout as sleep } from 'node:timers/promises';
import { Approval, ApprovalDecision, ApprovalList, ApprovalListQuery } from '../../contract/approval.ts';
import { describeVerdict } from '../../contract/rules/approval-rights.ts';
import { AlfredError } from '../../contract/errors.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { ApprovalRow, Identity } from '../../contract/ports/index.ts';
import { decideUpdate } from '../../workflows/messages.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import type { Views } from '../links.ts';
import { bodyProblems, IdParams, json, problems } from '../http/responses.ts';
import { updateTask } from '../../adapters/temporal/update-task.ts';

type Deps = Pick<ApiDeps, 'approvals' | 'client'> & { views: Views };

export const approvalRoutes =
  ({ approvals, client, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/approvals',
      schema: {
        operationId: 'listApprovals',
        tags: ['approvals'],
        summary: 'List approvals, newest first',
        description: 'What you asked for and what you may decide. `mine=true`: only what waits for you.',
        querystring: ApprovalListQuery,
        response: { 200: json('One page', ApprovalList), ...problems(422) },
      },
      handler: async ({ scope, query }, reply) => {
        const page = await approvals.list(scope, query);
        return reply.send({ approvals: page.approvals.map(views.approval), nextCursor: page.nextCursor });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/approvals/:id',
      schema: {
        operationId: 'getApproval',
        tags: ['approvals'],
        summary: 'Read an approval',
        params: IdParams,
        response: { 200: json('The approval', Approval), ...problems(404) },
      },
      handler: async ({ scope, params }, reply) => reply.send(views.approval(await find(scope, params.id))),
    });

    app.route({
      method: 'POST',
      url: '/v1/approvals/:id',
      schema: {
        operationId: 'decideApproval',
        tags: ['approvals'],
        summary: 'Approve or deny a call',
        description:
          'The first decision counts; who comes second is told who decided and how (`approval_decided`). The same decision by the same person again changes nothing. What runs is what was approved: `argumentsHash`, or the arguments in `edit`, which must fit the tool.',
        params: IdParams,
        body: ApprovalDecision,
        response: { 200: json('The approval with its decision', Approval), ...problems(404, 409, ...bodyProblems) },
      },
      handler: async ({ scope, params, body }, reply) => {
        const row = await find(scope, params.id);
        if (row.status === 'pending') await whenAsked(scope, row, () => decide(scope, row, body));
        else refuseSecond(scope, row, body);
        return reply.send(views.approval(await find(scope, params.id)));
      },
    });

    async function find(identity: Identity, id: string): Promise<ApprovalRow> {
      const row = await approvals.get(identity, id);
      if (!row)
        throw new AlfredError(
          'not_found',
          `There is no approval ${id}, or it is neither yours nor to be decided by you.`,
        );
      return row;
    }

    /**
     * The row of an approval is written a moment before its task waits for it, and some seconds before when a worker died in
     * between: who is that quick is not told that there is nothing to decide.
     */
    async function whenAsked(identity: Identity, { id }: ApprovalRow, attempt: () => Promise<void>): Promise<void> {
      for (const end = Date.now() + patienceMs; ;) {
        try {
          return await attempt();
        } catch (error) {
          if (!(error instanceof AlfredError) || error.code !== 'not_found') throw error;
          if ((await find(identity, id)).status !== 'pending') throw error;
          if (Date.now() > end) throw new AlfredError('temporal_unavailable', undefined, { cause: error });
          await sleep(100);
        }
      }
    }

    async function decide(
      { subject, roles }: Identity,
      row: ApprovalRow,
      { decision, comment, edit, argumentsHash }: ApprovalDecision,
    ) {
      const note =
        comment === undefined && edit === undefined ? undefined : await approvals.storeNote(row.id, { comment, edit });
      await updateTask(client, taskWorkflowId(row.taskId), decideUpdate, {
        id: row.id,
        approve: decision === 'approve',
        by: subject,
        roles,
        argumentsHash,
        note,
      });
    }
  };

/** A worker that died is found out after five seconds. */
const patienceMs = 8_000;

/** @throws AlfredError `approval_decided` unless it is the same decision by the same person */
function refuseSecond({ subject }: Identity, { decision }: ApprovalRow, given: ApprovalDecision): void {
  if (!decision) throw new AlfredError('approval_decided', 'The task ended before it was decided.');
  const isSame =
    decision.by === subject &&
    decision.runs === (given.decision === 'approve') &&
    decision.comment === (given.comment ?? null) &&
    canonicalJson(decision.edited) === canonicalJson(given.edit ?? null);
  if (isSame) return;
  const status = decision.runs ? 'approved' : 'denied';
  throw new AlfredError('approval_decided', describeVerdict({ ...decision, status }));
}
