import { Ingestion } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { ingestionPath, type Views } from '../links.ts';
import { IdParams, json, location, problems } from '../http/responses.ts';

type Deps = Pick<ApiDeps, 'control'> & { views: Views };

export const ingestionRoutes =
  ({ control, views }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/ingestions/:id',
      schema: {
        operationId: 'getIngestion',
        tags: ['documents'],
        summary: 'Progress of an upload, and every file that could not be read',
        params: IdParams,
        response: { 200: json('How far it is', Ingestion), ...problems(404) },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await control.ingestions.read(scope, id);
        if (!row) throw noIngestion(id);
        return reply.send(views.ingestion(row));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/ingestions/:id/retry',
      schema: {
        operationId: 'retryIngestion',
        tags: ['documents'],
        summary: 'Read the files of an upload that could not be read, or were not when it was cancelled or lost',
        description:
          'Makes another ingestion of them, unless one is under way: that is answered then. Left out are files that were read since, and those whose name stands for a newer document. Their bytes are kept for a week after the end of the upload.',
        params: IdParams,
        response: {
          202: json('They are being read', Ingestion, location('the progress')),
          ...problems(400, 404, 409, 410, 413, 415),
        },
      },
      handler: async ({ scope, params: { id } }, reply) => {
        const row = await control.ingestions.retry(scope, id);
        if (!row) throw noIngestion(id);
        return reply.code(202).header('location', ingestionPath(row.id)).send(views.ingestion(row));
      },
    });
  };

const noIngestion = (id: string) => new AlfredError('not_found', `There is no ingestion ${id}.`);
