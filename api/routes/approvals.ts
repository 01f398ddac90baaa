import { Approval, ApprovalDecision, ApprovalList, ApprovalListQuery } from '../../contract/approval.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import type { Views } from '../links.ts';
import { bodyProblems, ApprovalParams, json, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'approvals' | 'control'> & { views: Views };

export const approvalRoutes =
  ({ approvals, control, views }: Deps) =>
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
        response: { 200: json('One page', ApprovalList), ...problems('invalid_request') },
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
        params: ApprovalParams,
        response: { 200: json('The approval', Approval), ...problems('not_found') },
      },
      handler: async ({ scope, params }, reply) => {
        const row = await approvals.get(scope, params.id);
        if (!row) throw noApproval(params.id);
        return reply.send(views.approval(row));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/approvals/:id',
      schema: {
        operationId: 'decideApproval',
        tags: ['approvals'],
        summary: 'Approve or deny a call',
        description:
          'The first decision counts; a different second one is refused, with who decided and how (`approval_decided`). The same decision by the same person again changes nothing. What runs is what was approved: `argumentsHash`, or the arguments in `edit`, which must fit the tool.',
        params: ApprovalParams,
        body: ApprovalDecision,
        response: {
          200: json('The approval with its decision', Approval),
          ...problems(
            'not_found',
            'approval_forbidden',
            'approval_decided',
            'approval_changed',
            'task_ended',
            ...bodyProblems,
          ),
        },
      },
      handler: async ({ scope, params, body }, reply) => {
        const row = await control.approvals.decide(scope, params.id, body);
        if (!row) throw noApproval(params.id);
        return reply.send(views.approval(row));
      },
    });
  };

const noApproval = (id: string) =>
  new AlfredError('not_found', `There is no approval ${id}, or it is neither yours nor to be decided by you.`);
