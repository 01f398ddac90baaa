import { CallbackState } from '../../contract/callback.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { Scope } from '../../contract/references.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { bodyProblems, IdParams, json, problems } from '../http/responses.ts';
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
        summary: 'See the delivery of an upload’s webhook',
        params: IdParams,
        response: { 200: json('How far the callback is', CallbackState), ...problems(404) },
      },
      handler: async ({ scope, params }, reply) => reply.send(await stateOf(scope, params.id)),
    });

    app.route({
      method: 'POST',
      url: '/v1/ingestions/:id/callback',
      schema: {
        operationId: 'repeatIngestionCallback',
        tags: ['documents'],
        summary: 'Tell an upload’s end again',
        description:
          'Begins a new delivery, with a `webhook-id` of its own, regardless of those before. The upload must have ended (`ingestion_running`).',
        params: IdParams,
        response: { 202: json('It is on its way', CallbackState), ...problems(404, 409, ...bodyProblems) },
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
