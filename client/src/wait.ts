import { request } from './request.ts';
import type { CallOptions } from './routes.ts';
import type { Ingestion, Task } from './schemas.ts';
import type { Server } from './server.ts';
import { sleep } from './sleep.ts';

/** Below the minute after which many proxies close a request. */
const waitS = 50;
const defaultGiveUpAfterMs = 120_000;
/** A server that answers at once, because it stops or a proxy drops `Prefer`, is asked again after this. */
const pauseMs = 1_000;

export type WaitOptions = Pick<CallOptions, 'signal' | 'giveUpAfterMs'>;

const endedStatuses: readonly Task['status'][] = ['completed', 'incomplete', 'failed', 'cancelled'];

/** Waits until a task has ended, however it ends. */
export const waitForTask = (server: Server, id: string, options: WaitOptions = {}): Promise<Task> =>
  untilEnded(
    (call) => request(server, 'GET /v1/tasks/{id}', { path: { id }, ...call }),
    ({ status }) => endedStatuses.includes(status),
    options,
  );

/** Waits until an upload has been read. */
export const waitForIngestion = (server: Server, id: string, options: WaitOptions = {}): Promise<Ingestion> =>
  untilEnded(
    (call) => request(server, 'GET /v1/ingestions/{id}', { path: { id }, ...call }),
    ({ status }) => status !== 'running',
    options,
  );

type Waiting = { waitS: number; giveUpAfterMs: number; signal: AbortSignal | undefined };

async function untilEnded<T>(
  read: (call: Waiting) => Promise<T>,
  isEnded: (state: T) => boolean,
  { signal, giveUpAfterMs = defaultGiveUpAfterMs }: WaitOptions,
): Promise<T> {
  while (true) {
    const askedAt = Date.now();
    const state = await read({ waitS, giveUpAfterMs, signal });
    if (isEnded(state)) return state;
    if (Date.now() - askedAt < pauseMs) await sleep(pauseMs, signal);
  }
}
