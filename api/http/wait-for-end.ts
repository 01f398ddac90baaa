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

/** A wait that lasts longer than this asks whether the workflow still runs, in milliseconds. */
const trustedForMs = 1_000;

type ReadingUntilEnd<Row> = Pick<Waiting<Row>, 'prefer' | 'draining' | 'isEnded'> & {
  /** Reads the row, after it was compared with its workflow. */
  read: () => Promise<Row>;
  /** Whether the row is there and has not ended. It costs less than to read it. */
  isOpen?: () => Promise<boolean>;
  /** Reads the row as it stands; undefined when there is none. */
  readStored: () => Promise<Row | undefined>;
  /** Calls `readNext` again and again until it gives a row that has ended, or until the abort. */
  readUntilEnd: (signal: AbortSignal, readNext: () => Promise<Row | undefined>) => Promise<Row | undefined>;
};

/**
 * Reads a row. If the request prefers to wait, reads it until its end, until the process drains or the caller is gone.
 * Most waits are short, so Temporal is asked only once one has lasted.
 */
export async function readAsPreferred<Row>(
  reply: Pick<FastifyReply, 'header' | 'raw'>,
  { prefer, draining, isEnded, read, isOpen, readStored, readUntilEnd }: ReadingUntilEnd<Row>,
): Promise<Row> {
  const waitS = waitOf(prefer);
  if (waitS === 0) return read();
  void reply.header('preference-applied', `wait=${waitS}`);
  const stop = linkAbort([draining, abortOnDisconnect(reply.raw)], { timeoutMs: waitS * 1_000 });
  const first = linkAbort([stop.signal], { timeoutMs: trustedForMs });
  let isFirst = true;
  const readNext = async () => {
    if (isFirst && (await isOpen?.())) {
      isFirst = false;
      return undefined;
    }
    const row = await readStored();
    // What had ended before the request may run again: a person can reset its workflow.
    const mayRunAgain = isFirst && row !== undefined && isEnded(row);
    isFirst = false;
    return row === undefined || mayRunAgain ? read() : row;
  };
  try {
    const early = await readUntilEnd(first.signal, readNext);
    if (early !== undefined && isEnded(early)) return early;
    const row = await read();
    if (isEnded(row) || stop.signal.aborted) return row;
    const late = await readUntilEnd(stop.signal, readNext);
    return late !== undefined && isEnded(late) ? late : await read();
  } finally {
    first.release();
    stop.release();
  }
}

function abortOnDisconnect(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => gone.abort());
  return gone.signal;
}
