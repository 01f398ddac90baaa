import { CallbackState } from '../../contract/callback.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, IngestionParams, json, problems } from '../http/responses.ts';
import { noIngestion } from './ingestions.ts';

type Deps = Pick<ApiDeps, 'callbacks' | 'control'>;

export const ingestionCallbackRoutes =
  ({ callbacks, control }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/ingestions/:id/callback',
      schema: {
        operationId: 'getIngestionCallback',
        tags: ['documents'],
        summary: 'Read the state of an upload’s webhook',
        params: IngestionParams,
        response: {
          200: json('The state of the webhook', CallbackState),
          ...problems('not_found', 'callback_missing'),
        },
      },
      handler: async ({ scope, params }, reply) => reply.send(await stateOf(scope, params.id)),
    });

    app.route({
      method: 'POST',
      url: '/v1/ingestions/:id/callback',
      schema: {
        operationId: 'repeatIngestionCallback',
        tags: ['documents'],
        summary: 'Send an upload’s webhook again',
        description:
          'Begins a new delivery, with a `webhook-id` of its own, regardless of those before. The upload must have ended (`ingestion_running`).',
        params: IngestionParams,
        response: {
          202: json('The delivery begins', CallbackState),
          ...problems('not_found', 'callback_missing', 'ingestion_running', ...bodyProblems),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        if (!(await control.ingestions.repeatCallback(scope, id))) throw noIngestion(id);
        return reply.code(202).send(await stateOf(scope, id));
      },
    });

    async function stateOf({ tenant, subject }: Scope, ingestionId: string): Promise<CallbackState> {
      const state = await callbacks.get({ tenant, subject, ingestionId });
      if (state) return state;
      // Reads the upload only to report which of the two is missing.
      throw (await control.ingestions.read({ tenant, subject }, ingestionId))
        ? new AlfredError('callback_missing', `The ingestion ${ingestionId} has no callback.`)
        : noIngestion(ingestionId);
    }
  };
