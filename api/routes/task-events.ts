import { Readable } from 'node:stream';
import { z } from 'zod';
import { TaskEventPage, TaskEventsQuery } from '../../contract/events.ts';
import { isEnded } from '../../contract/task-status.ts';
import { negotiate } from '../accept.ts';
import { linkAbort } from '../../runtime/linked-abort.ts';
import type { ApiDeps } from '../deps.ts';
import { toEventStream } from '../event-stream.ts';
import type { Api } from '../fastify.ts';
import { IdParams, problems } from '../responses.ts';
import type { ReadTask } from '../true-task.ts';
import { notFound } from './tasks.ts';

/** Events in one JSON page. */
const pageSize = 1_000;

const ResumeHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .regex(/^\d{1,9}$/, 'expected the id of an event')
    .optional()
    .describe('Only events with a higher number; browsers send it when they reconnect'),
});

type Deps = Pick<ApiDeps, 'events' | 'metrics' | 'log' | 'heartbeatMs'> & { read: ReadTask; draining: AbortSignal };

export const taskEventRoutes =
  ({ events, metrics, log, heartbeatMs = 10_000, read, draining }: Deps) =>
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
      handler: async ({ id, scope, params, query, headers }, reply) => {
        const media = negotiate(headers.accept, ['text/event-stream', 'application/json']);
        const row = await read(scope, params.id);
        if (!row) throw notFound(params.id);
        const resumed = headers['last-event-id'];
        // A number that was never given out is not an excuse to wait for it.
        const after = Math.min(resumed === undefined ? (query.after ?? 0) : Number(resumed), row.lastSeq);
        if (media === 'application/json') {
          const page = await events.read(scope, row.id, after, pageSize);
          return reply.type(media).send({ events: page, lastSeq: page.at(-1)?.seq ?? after });
        }
        if (isEnded(row.status) && after === row.lastSeq) return reply.code(204).send(null);
        const gone = new AbortController();
        const stop = linkAbort([draining, gone.signal]);
        const batches = events.follow(scope, row.id, after, stop.signal);
        metrics.eventStreams.inc();
        const leave = () => {
          metrics.eventStreams.dec();
          gone.abort();
          stop.release();
        };
        // The reader may have left while the task was read.
        if (reply.raw.destroyed) leave();
        else reply.raw.once('close', leave);
        void reply.type('text/event-stream').headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
        // Typed as the text it carries; Fastify pipes it, so the reader's pace decides how much is read.
        const frames = Readable.from(toEventStream(batches, heartbeatMs));
        // It may break after its reader left, when nobody else listens; an error nobody hears ends the process.
        frames.on('error', (error) => log.warn({ requestId: id, error: error.message }, 'an event stream broke'));
        return reply.send(frames as unknown as string);
      },
    });
  };
