import { AlfredError } from '../../contract/errors.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { LostRequest, RemoteRef, RemoteRequest, RemoteState } from '../../contract/ports/index.ts';

/** One remote agent behind its protocol. The methods are those of the port without the name. */
export type RemoteClient = {
  start(request: RemoteRequest, signal: AbortSignal): Promise<RemoteState>;
  find(request: LostRequest, signal: AbortSignal): Promise<RemoteState | 'impossible' | undefined>;
  watch(run: RemoteRef, signal: AbortSignal): AsyncIterable<RemoteState>;
  cancel(run: RemoteRef, signal: AbortSignal): Promise<boolean>;
};

/** How long one request may take, in milliseconds. A start takes longer with agents that answer with their result. */
export const requestMs = { read: 30_000, start: 240_000 };

/** An answer may be so long, in characters. */
const maxTextLength = 1_000_000;
/** Longest id that a remote agent may give, in characters. */
const maxIdLength = 500;

/** Runs a request that changes nothing. That its answer got lost says nothing more than that there is none. */
export async function asRead<T>(
  signal: AbortSignal,
  request: (signal: AbortSignal) => Promise<T>,
  agent: string,
): Promise<T> {
  const stop = linkAbort([signal], { timeoutMs: requestMs.read });
  try {
    return await request(stop.signal);
  } catch (error) {
    signal.throwIfAborted();
    throw toUnavailable(error, agent);
  } finally {
    stop.release();
  }
}

/** Runs a request that begins something there: after its time it is not known whether it did. */
export async function asStart<T>(
  signal: AbortSignal,
  request: (signal: AbortSignal) => Promise<T>,
  agent: string,
): Promise<T> {
  const stop = linkAbort([signal], { timeoutMs: requestMs.start });
  try {
    return await request(stop.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isTimeout(error)) throw error;
    throw new AlfredError('effect_unknown', `The remote agent ${agent} did not answer the request in time.`);
  } finally {
    stop.release();
  }
}

const isTimeout = (error: unknown) => (error as Error).name === 'TimeoutError';

function toUnavailable(error: unknown, agent: string): unknown {
  if (isTimeout(error)) return new AlfredError('remote_unavailable', `The remote agent ${agent} does not answer.`);
  if (!(error instanceof AlfredError) || error.code !== 'effect_unknown') return error;
  return new AlfredError('remote_unavailable', error.message, { cause: error });
}

/** @throws AlfredError `remote_failed` */
export const unfit = (agent: string, what: string, cause?: unknown) =>
  new AlfredError('remote_failed', `The answer of the remote agent ${agent} cannot be used: ${what}.`, { cause });

/** Checks what a remote agent says before it is stored. @throws AlfredError `remote_failed` */
export function checked<S extends RemoteState>(agent: string, state: S): S {
  for (const id of [state.remoteId, state.contextId])
    if (id !== undefined && (id === '' || id.length > maxIdLength || /\p{Cc}/u.test(id)))
      throw unfit(agent, 'an id of it is empty, or longer than any id');
  if ('text' in state && state.text.length > maxTextLength)
    throw unfit(agent, `it has more than ${maxTextLength} characters`);
  return state;
}
