import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { linkAbort } from '../../runtime/link-abort.ts';
import { waitOf } from './prefer.ts';

/** The headers of a route that can wait for the end of a task or upload. */
export const WaitHeaders = z.looseObject({
  prefer: z.string().optional().meta({
    'x-parameter': 'Prefer',
    description: '`wait=30` waits up to that many seconds, at most 60, for the end of the task or upload',
  }),
});

/** The header of a response that waited. */
export const preferenceApplied = {
  'Preference-Applied': {
    type: 'string',
    description: 'The wait that was honoured, when one was asked for',
    example: 'wait=30',
  },
};

type Waiting<Row> = {
  prefer: string | undefined;
  draining: AbortSignal;
  isEnded: (row: Row) => boolean;
  /** Resolves at the end, or on abort. */
  waitForEnd: (signal: AbortSignal) => Promise<void>;
  readAgain: () => Promise<Row | undefined>;
};

/** Waits as long as the request prefers, until the process drains or the caller is gone. @returns the row after that */
export async function waitAsPreferred<Row>(
  reply: Pick<FastifyReply, 'header' | 'raw'>,
  row: Row,
  { prefer, draining, isEnded, waitForEnd, readAgain }: Waiting<Row>,
): Promise<Row> {
  const waitS = waitOf(prefer);
  if (waitS === 0) return row;
  void reply.header('preference-applied', `wait=${waitS}`);
  if (isEnded(row)) return row;
  const stop = linkAbort([draining, abortOnDisconnect(reply.raw)], { timeoutMs: waitS * 1_000 });
  await waitForEnd(stop.signal).finally(stop.release);
  return (await readAgain()) ?? row;
}

function abortOnDisconnect(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => gone.abort());
  return gone.signal;
}
