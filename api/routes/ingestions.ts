import { Ingestion } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import { ingestionWorkflowId } from '../../contract/ids.ts';
import { startGraceMs } from '../../contract/task-truth.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../fastify.ts';
import { inTime } from '../../runtime/in-time.ts';
import type { Views } from '../links.ts';
import { IdParams, json, problems } from '../responses.ts';

/** A reader waits no longer than this for Temporal's word. */
const describeDeadlineMs = 500;

type Deps = Pick<ApiDeps, 'documents' | 'workflows' | 'client'> & { views: Views };

/** How an upload ended whose workflow is over, for rows that still say "running". */
const endOf = {
  completed: 'failed',
  failed: 'failed',
  terminated: 'failed',
  timed_out: 'failed',
  cancelled: 'cancelled',
} as const;

/** An upload whose workflow was never started, because its process died in between. */
const lost = (asked: string, createdAt: string) =>
  asked === 'not_found' && Date.now() - Date.parse(createdAt) > startGraceMs ? ('failed' as const) : undefined;

export const ingestionRoutes =
  ({ documents, workflows, client, views }: Deps) =>
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
        const asked = await ask(id);
        let row = await documents.ingestion(scope, id);
        if (!row) throw new AlfredError('not_found', `There is no ingestion ${id}.`);
        const ended = asked && (asked in endOf ? endOf[asked as keyof typeof endOf] : lost(asked, row.createdAt));
        if (row.status === 'running' && ended) {
          await documents.endIngestion(scope, id, ended);
          row = (await documents.ingestion(scope, id)) ?? row;
        }
        return reply.send(views.ingestion(row));
      },
    });

    /** What Temporal says, before the row is read; undefined when it does not say anything soon. */
    const ask = async (id: string) => {
      try {
        return (await inTime(client, describeDeadlineMs, () => workflows.describe(ingestionWorkflowId(id)))).status;
      } catch {
        return undefined;
      }
    };
  };
