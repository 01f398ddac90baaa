import { reconcileIngestion } from '../../contract/rules/ingestion-reconciliation.ts';
import { Ingestion } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import { ingestionWorkflowId } from '../../contract/ids.ts';
import type { Scope } from '../../contract/references.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { inTime } from '../../runtime/in-time.ts';
import { ingestionPath, type Views } from '../links.ts';
import { IdParams, json, location, problems } from '../http/responses.ts';
import type { Starters } from '../../adapters/temporal/start-workflow.ts';

/** A reader waits no longer than this for Temporal's word. */
const describeDeadlineMs = 500;

type Deps = Pick<ApiDeps, 'documents' | 'workflows' | 'client'> & { start: Starters; views: Views };

export const ingestionRoutes =
  ({ documents, workflows, client, start, views }: Deps) =>
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
      handler: async ({ scope, params: { id } }, reply) => reply.send(views.ingestion(await truth(scope, id))),
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
        // Whose workflow is over is not being read.
        await truth(scope, id);
        let row = await truth(scope, await retry(scope, id));
        if (row.status === 'failed' || row.status === 'cancelled') row = await truth(scope, await retry(scope, id));
        // When this fails, a repeat finds it and starts it.
        await start.ingestion({ ...scope, ingestionId: row.id });
        return reply.code(202).header('location', ingestionPath(row.id)).send(views.ingestion(row));
      },
    });

    const retry = async (scope: Scope, id: string) => {
      const ingestionId = await documents.retryIngestion(scope, id);
      if (ingestionId === undefined) throw noIngestion(id);
      return ingestionId;
    };

    /** The row, brought in line with its workflow: somebody may have terminated that. */
    const truth = async (scope: Scope, id: string) => {
      const asked = await ask(id);
      const row = await documents.ingestion(scope, id);
      if (!row) throw noIngestion(id);
      const ended = asked && reconcileIngestion(asked, new Date(row.createdAt));
      if (row.status !== 'running' || !ended) return row;
      await documents.endIngestion(scope, id, ended);
      return (await documents.ingestion(scope, id)) ?? row;
    };

    /** What Temporal says, before the row is read; undefined when it does not say anything soon. */
    const ask = async (id: string) => {
      try {
        return (await inTime(client, describeDeadlineMs, () => workflows.describe(ingestionWorkflowId(id)))).status;
      } catch {
        return undefined;
      }
    };
  };

const noIngestion = (id: string) => new AlfredError('not_found', `There is no ingestion ${id}.`);
