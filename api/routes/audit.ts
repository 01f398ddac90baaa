import { AuditList, AuditQuery } from '../../contract/audit.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { json, problems } from '../http/responses.ts';

export const auditRoutes =
  ({ audit }: Pick<ApiDeps, 'audit'>) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/audit',
      schema: {
        operationId: 'listAudit',
        tags: ['audit'],
        summary: 'List who did what in your tenant, newest first; for the role admin',
        description:
          'Entries hold ids, codes and counts, and no content. What was refused often within a minute is one entry with its `count`.',
        querystring: AuditQuery,
        response: { 200: json('One page', AuditList), ...problems('invalid_request') },
      },
      handler: async ({ scope, query }, reply) => {
        return reply.send(await audit.list(scope.tenant, query));
      },
    });
  };
