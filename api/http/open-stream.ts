import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { ApiDeps } from '../deps.ts';
import type { DoorLimits } from './limits.ts';
import { watchSignIn } from './watch-sign-in.ts';
import { toEventStream } from './event-stream.ts';

/** The most events in one JSON page. */
export const pageSize = 1_000;

export const ResumeHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .regex(/^\d{1,9}$/, 'expected the id of an event')
    .optional()
    .meta({
      'x-parameter': 'LastEventId',
      description: 'Only events with a higher number; browsers send it when they reconnect',
    }),
});

/**
 * The number of the event to continue after. Clamped to the last one: a cursor from the future must not block the
 * reader.
 */
export const placeOf = (
  headers: z.output<typeof ResumeHeaders>,
  { after = 0 }: { after?: number | undefined },
  lastSeq: number,
) => Math.min(headers['last-event-id'] === undefined ? after : Number(headers['last-event-id']), lastSeq);

type Deps = Pick<ApiDeps, 'metrics' | 'log' | 'heartbeatMs'> & {
  draining: AbortSignal;
  limits: Pick<DoorLimits, 'openStream'>;
};
type Follow = (signal: AbortSignal) => Parameters<typeof toEventStream>[0];

/**
 * Responds with events as they happen, until they end, the reader disconnects, its credential ends or the process shuts
 * down.
 *
 * @throws AlfredError `too_many_streams`
 */
export const createStreamOpener =
  ({ metrics, log, heartbeatMs = 10_000, draining, limits }: Deps) =>
  (
    reply: Pick<FastifyReply, 'raw' | 'request' | 'type' | 'headers'>,
    follow: Follow,
    isStillReadable?: () => Promise<boolean> | undefined,
  ): string => {
    const release = limits.openStream(reply.request.scope);
    const gone = new AbortController();
    const signedOut = watchSignIn({ ...reply.request.signIn, isStillReadable }, gone.signal);
    const stop = linkAbort([draining, gone.signal, signedOut]);
    const batches = follow(stop.signal);
    metrics.eventStreams.inc();
    const leave = () => {
      metrics.eventStreams.dec();
      release();
      gone.abort();
      stop.release();
    };
    // The reader may have disconnected before this point.
    if (reply.raw.destroyed) leave();
    else reply.raw.once('close', leave);
    void reply.type('text/event-stream');
    void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    // Fastify pipes the stream, so the reader's pace decides how much is read. The route's schema types it as text.
    const frames = Readable.from(
      toEventStream(batches, heartbeatMs, () => (signedOut.aborted ? String(signedOut.reason) : undefined)),
    );
    // The stream may break after its reader disconnected; without a listener that error would end the process.
    frames.on('error', ({ message }) =>
      log.warn({ requestId: reply.request.id, error: message }, 'an event stream broke'),
    );
    return frames as unknown as string;
  };
export type OpenStream = ReturnType<typeof createStreamOpener>;
