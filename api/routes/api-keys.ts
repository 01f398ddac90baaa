import { z } from 'zod';
import { ApiKey, ApiKeyList, ApiKeyListQuery, ApiKeyRequest, NewApiKey } from '../../contract/api-keys.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Principal } from '../../contract/principal.ts';
import { whyNotGiven } from '../../contract/rules/key-rights.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { newApiKeyId, newApiKeySecret } from '../../runtime/api-key-text.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, json, location, problems } from '../http/responses.ts';

export const KeyParams = z.object({
  id: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .meta({ 'x-parameter': 'ApiKeyId', description: 'The id of the key: its part that is no secret' }),
});
const keyPath = (id: string) => `/v1/api-keys/${id}`;

export const apiKeyRoutes =
  ({ apiKeys }: Pick<ApiDeps, 'apiKeys'>) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/api-keys',
      schema: {
        operationId: 'createApiKey',
        tags: ['identity'],
        summary: 'Create a key for a service',
        description:
          'The service is a subject of its own: what it makes belongs to it. The answer has the key, which is not shown again.',
        body: ApiKeyRequest,
        response: {
          201: json('The key, once', NewApiKey, location('the key')),
          ...problems('keys_forbidden', ...bodyProblems),
        },
      },
      handler: async ({ scope, body }, reply) => {
        mayGive(scope, body);
        const id = newApiKeyId();
        const { key, hash } = newApiKeySecret(id);
        const row = await apiKeys.create(scope, body, { id, hash });
        return reply
          .code(201)
          .header('location', keyPath(id))
          .header('cache-control', 'no-store')
          .send({ ...row, key });
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/api-keys',
      schema: {
        operationId: 'listApiKeys',
        tags: ['identity'],
        summary: 'List your keys, newest first; with the role admin all of the tenant',
        querystring: ApiKeyListQuery,
        response: { 200: json('One page', ApiKeyList), ...problems('keys_forbidden', 'invalid_request') },
      },
      handler: async ({ scope, query }, reply) => {
        return reply.send(await apiKeys.list(reachOf(scope, 'see', 'key'), query));
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/api-keys/:id',
      schema: {
        operationId: 'getApiKey',
        tags: ['identity'],
        summary: 'Read a key, without its secret',
        params: KeyParams,
        response: { 200: json('The key as it stands', ApiKey), ...problems('keys_forbidden', 'not_found') },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        return reply.send(found(id, await apiKeys.get(reachOf(scope, 'see', 'key'), id)));
      },
    });
  };

/** @throws AlfredError `keys_forbidden` */
export function mayGive(principal: Principal, key: Pick<Principal, 'roles' | 'scopes'>): void {
  const why = whyNotGiven(principal, key);
  if (why !== undefined) throw new AlfredError('keys_forbidden', why);
}

/** @throws AlfredError `not_found` */
export function found(id: string, key: ApiKey | undefined): ApiKey {
  if (!key) throw new AlfredError('not_found', `There is no API key ${id}.`);
  return key;
}
