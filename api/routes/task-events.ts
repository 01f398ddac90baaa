import { z } from 'zod';
import { TaskEventPage, TaskEventsQuery } from '../../contract/events.ts';
import { isEnded } from '../../contract/task-status.ts';
import { negotiate } from '../http/negotiate.ts';
import type { ApiDeps } from '../deps.ts';
import type { Api } from '../http/fastify.ts';
import { pageSize, placeOf, ResumeHeaders, type OpenStream } from '../http/open-stream.ts';
import { IdParams, problems } from '../http/responses.ts';
import { findTask } from '../find-task.ts';

type Deps = Pick<ApiDeps, 'control' | 'conversationRows' | 'events'> & { openStream: OpenStream };

export const taskEventRoutes =
  ({ control, conversationRows, events, openStream }: Deps) =>
  async (app: Api) => {
    app.route({
      method: 'GET',
      url: '/v1/tasks/:id/events',
      exposeHeadRoute: false,
      schema: {
        operationId: 'followTask',
        tags: ['tasks'],
        summary: 'Follow a task',
        description:
          'Server-sent events from any place in the task’s life: `id` is the sequence number, `event` the type, `data` the event as in `TaskEvent`. The stream ends after the event that ends the task. With `Accept: application/json` up to 1000 stored events come back at once; ask again with `after=lastSeq` of the answer.',
        params: IdParams,
        querystring: TaskEventsQuery,
        headers: ResumeHeaders,
        response: {
          200: {
            description: 'The events after the given one',
            content: { 'text/event-stream': { schema: z.string() }, 'application/json': { schema: TaskEventPage } },
          },
          204: z.null().describe('The task has ended and the last event was the given one: do not reconnect'),
          ...problems(404, 422),
        },
      },
      handler: async ({ scope, params, query, headers }, reply) => {
        const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
        const row = await findTask({ control, conversationRows }, scope, params.id);
        const after = placeOf(headers, query, row.lastSeq);
        if (media === 'application/json') {
          const page = await events.read(scope, row.id, after, pageSize);
          return reply.type(media).send({ events: page, lastSeq: page.at(-1)?.seq ?? after });
        }
        if (isEnded(row.status) && after === row.lastSeq) return reply.code(204).send(null);
        return reply.send(openStream(reply, (signal) => events.follow(scope, row.id, after, signal)));
      },
    });
  };
