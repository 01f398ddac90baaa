import { Ingestion } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { IngestionRow } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { ingestionPath, type Views } from '../links.ts';
import { bodyProblems, IngestionParams, json, location, problems } from '../http/responses.ts';
import { preferenceApplied, waitAsPreferred, WaitHeaders } from '../http/wait-for-end.ts';

type Deps = Pick<ApiDeps, 'control' | 'documents' | 'ingestionEvents'> & { views: Views; draining: AbortSignal };

/** Waits for the end of an upload, as long as the request prefers. @returns its row after that */
export const waitForIngestion = (
  { ingestionEvents, documents, draining }: Pick<Deps, 'ingestionEvents' | 'documents' | 'draining'>,
  reply: Parameters<typeof waitAsPreferred>[0],
  row: IngestionRow,
  { scope, prefer }: { scope: Scope; prefer: string | undefined },
): Promise<IngestionRow> =>
  waitAsPreferred(reply, row, {
    prefer,
    draining,
    isEnded: ({ status }) => status !== 'running',
    waitForEnd: (signal) => ingestionEvents.waitForEnd(row.id, signal),
    readAgain: () => documents.getIngestion(scope, row.id),
  });

export const ingestionRoutes = (deps: Deps) => async (app: Api) => {
  const { control, views } = deps;
  app.route({
    method: 'GET',
    url: '/v1/ingestions/:id',
    schema: {
      operationId: 'getIngestion',
      tags: ['documents'],
      summary: 'Progress of an upload, and every file that could not be read',
      params: IngestionParams,
      headers: WaitHeaders,
      response: { 200: json('How far it is', Ingestion, preferenceApplied), ...problems('not_found') },
    },
    handler: async ({ scope, params: { id }, headers: { prefer } }, reply) => {
      const row = await control.ingestions.read(scope, id);
      if (!row) throw noIngestion(id);
      return reply.send(views.ingestion(await waitForIngestion(deps, reply, row, { scope, prefer })));
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
      params: IngestionParams,
      headers: WaitHeaders,
      response: {
        200: json('They were read within the time that `Prefer` gave', Ingestion, {
          ...location('the progress'),
          ...preferenceApplied,
        }),
        202: json('They are being read', Ingestion, { ...location('the progress'), ...preferenceApplied }),
        ...problems(
          'not_found',
          'ingestion_running',
          'ingestion_without_failures',
          'file_bytes_gone',
          'tenant_full',
          ...bodyProblems,
        ),
      },
    },
    handler: async ({ scope, params: { id }, headers: { prefer } }, reply) => {
      const row = await control.ingestions.retry(scope, id);
      if (!row) throw noIngestion(id);
      const current = await waitForIngestion(deps, reply, row, { scope, prefer });
      return reply
        .code(current.status === 'running' ? 202 : 200)
        .header('location', ingestionPath(row.id))
        .send(views.ingestion(current));
    },
  });
};

export const noIngestion = (id: string) => new AlfredError('not_found', `There is no ingestion ${id}.`);
