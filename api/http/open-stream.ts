import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { ApiDeps } from '../deps.ts';
import { toEventStream } from './event-stream.ts';

/** Events in one JSON page. */
export const pageSize = 1_000;

export const ResumeHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .regex(/^\d{1,9}$/, 'expected the id of an event')
    .optional()
    .describe('Only events with a higher number; browsers send it when they reconnect'),
});

/** Where a reader goes on. A number that was never given out is not an excuse to wait for it. */
export const placeOf = (
  headers: z.output<typeof ResumeHeaders>,
  { after = 0 }: { after?: number | undefined },
  lastSeq: number,
) => Math.min(headers['last-event-id'] === undefined ? after : Number(headers['last-event-id']), lastSeq);

type Deps = Pick<ApiDeps, 'metrics' | 'log' | 'heartbeatMs'> & { draining: AbortSignal };
type Follow = (signal: AbortSignal) => Parameters<typeof toEventStream>[0];

/** Answers with events as they come, until they end, the reader leaves or the process stops. */
export const createStreamOpener =
  ({ metrics, log, heartbeatMs = 10_000, draining }: Deps) =>
  (reply: Pick<FastifyReply, 'raw' | 'request' | 'type' | 'headers'>, follow: Follow): string => {
    const gone = new AbortController();
    const stop = linkAbort([draining, gone.signal]);
    const batches = follow(stop.signal);
    metrics.eventStreams.inc();
    const leave = () => {
      metrics.eventStreams.dec();
      gone.abort();
      stop.release();
    };
    // The reader may have left meanwhile.
    if (reply.raw.destroyed) leave();
    else reply.raw.once('close', leave);
    void reply.type('text/event-stream');
    void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    // Typed as the text it carries; Fastify pipes it, so the reader's pace decides how much is read.
    const frames = Readable.from(toEventStream(batches, heartbeatMs));
    // It may break after its reader left, when nobody else listens; an error nobody hears ends the process.
    frames.on('error', ({ message }) =>
      log.warn({ requestId: reply.request.id, error: message }, 'an event stream broke'),
    );
    return frames as unknown as string;
  };
export type OpenStream = ReturnType<typeof createStreamOpener>;
