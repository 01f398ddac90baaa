import { ApiKey, ApiKeyRotation, NewApiKey } from '../../contract/api-keys.ts';
import { AlfredError } from '../../contract/errors.ts';
import { reachOf } from '../../contract/rules/policy.ts';
import { newApiKeySecret } from '../../runtime/api-key-text.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { parse } from '../http/problems.ts';
import { bodyProblems, json, problems } from '../http/responses.ts';
import { found, KeyParams, mayGive } from './api-keys.ts';

export const controlApiKeyRoutes =
  ({ apiKeys }: Pick<ApiDeps, 'apiKeys'>) =>
  async (app: Api) => {
    app.route({
      method: 'POST',
      url: '/v1/api-keys/:id/rotate',
      schema: {
        operationId: 'rotateApiKey',
        tags: ['identity'],
        summary: 'Replace a key by a new one',
        description:
          'Id, subject, roles and end stay. Keys of before that still count do so for `overlapS` seconds more: repeat a rotation when its answer was lost. With 0 all of them end at once.',
        params: KeyParams,
        bodies: { 'application/json': ApiKeyRotation },
        'x-optional-body': true,
        response: {
          200: json('The new key, once', NewApiKey),
          ...problems('keys_forbidden', 'not_found', 'key_ended', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id }, body }, reply) => {
        const { overlapS } = parse(ApiKeyRotation, body ?? {});
        const reach = reachOf(scope, 'change', 'key');
        const known = found(id, await apiKeys.get(reach, id));
        // Who rotates gets to know the new secret. Also its creator may send a token that has fewer roles than the key.
        mayGive(scope, known);
        const { key, hash } = newApiKeySecret(id);
        const row = await apiKeys.rotate(reach, id, hash, overlapS);
        if (!row) throw new AlfredError('key_ended');
        return reply.header('cache-control', 'no-store').send({ ...row, key });
      },
    });

    app.route({
      method: 'DELETE',
      url: '/v1/api-keys/:id',
      schema: {
        operationId: 'revokeApiKey',
        tags: ['identity'],
        summary: 'Revoke a key for ever',
        description:
          'A process may take the key for five seconds more. The key stays in the list, so that it can be seen whose it was. Tasks of the key go on; its schedules run without its roles.',
        params: KeyParams,
        response: { 200: json('The revoked key', ApiKey), ...problems('keys_forbidden', 'not_found', ...bodyProblems) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        return reply.send(found(id, await apiKeys.revoke(reachOf(scope, 'delete', 'key'), id)));
      },
    });
  };
