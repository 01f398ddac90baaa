import { Me } from '../../contract/api-keys.ts';
import type { Api } from '../http/fastify.ts';
import { json, problems } from '../http/responses.ts';

export const meRoutes = () => async (app: Api) => {
  app.route({
    method: 'GET',
    url: '/v1/me',
    schema: {
      operationId: 'me',
      tags: ['identity'],
      summary: 'Who you are here, and what your token or key allows',
      response: { 200: json('The caller', Me), ...problems() },
    },
    handler: async ({ scope, signIn }, reply) => {
      const { tenant, subject, kind, roles, groups, scopes, via } = scope;
      return reply.send({
        tenant,
        subject,
        kind,
        roles: [...roles],
        groups: [...groups],
        scopes: [...scopes],
        via,
        expiresAt: signIn.expiresAt?.toISOString() ?? null,
      });
    },
  });
};
