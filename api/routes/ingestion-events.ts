import { z } from 'zod';
import { TaskEventsQuery } from '../../contract/events.ts';
import { IngestionEventPage } from '../../contract/ingestion-events.ts';
import { negotiate } from '../http/negotiate.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { pageSize, placeOf, ResumeHeaders, type OpenStream } from '../http/open-stream.ts';
import { IdParams, problems } from '../http/responses.ts';
import { noIngestion } from './ingestions.ts';

type Deps = Pick<ApiDeps, 'control' | 'ingestionEvents'> & { openStream: OpenStream };

export const ingestionEventRoutes =
  ({ control, ingestionEvents, openStream }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/ingestions/:id/events',
      exposeHeadRoute: false,
      schema: {
        operationId: 'followIngestion',
        tags: ['documents'],
        summary: 'Follow an upload, file by file',
        description:
          'Server-sent events as those of a task: `id` is the sequence number, `event` the type, `data` the event as in `IngestionEvent`. One event for each file that was read or refused, and one for the end. With `Accept: application/json` up to 1000 stored events come back at once; ask again with `after=lastSeq` of the answer.',
        params: IdParams,
        querystring: TaskEventsQuery,
        headers: ResumeHeaders,
        response: {
          200: {
            description: 'The events after the given one',
            content: {
              'text/event-stream': { schema: z.string() },
              'application/json': { schema: IngestionEventPage },
            },
          },
          204: z.null().describe('The upload has ended and the last event was the given one: do not reconnect'),
          ...problems(404, 422),
        },
      },
      handler: async ({ scope, params: { id }, query, headers }, reply) => {
        const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
        // Reads the row first: an upload whose workflow is gone ends here.
        const row = await control.ingestions.read(scope, id);
        const lastSeq = row && (await ingestionEvents.lastSeq(scope, id));
        if (!row || lastSeq === undefined) throw noIngestion(id);
        const after = placeOf(headers, query, lastSeq);
        if (media === 'application/json') {
          const page = await ingestionEvents.read(scope, id, after, pageSize);
          return reply.type(media).send({ events: page, lastSeq: page.at(-1)?.seq ?? after });
        }
        if (row.status !== 'running' && after === lastSeq) return reply.code(204).send(null);
        return reply.send(openStream(reply, (signal) => ingestionEvents.follow(scope, id, after, signal)));
      },
    });
  };
