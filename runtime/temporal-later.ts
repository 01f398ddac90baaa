import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import { AlfredError } from '../contract/errors.ts';
import type { Config } from './config.ts';
import { isDatabaseUnavailable } from './database/database-errors.ts';
import type { Logger } from './logger.ts';
import { connectTemporal, isTemporalUnavailable } from './temporal.ts';
import { withTimeout } from './with-timeout.ts';

/** How long the caller waits for the first attempt. */
const firstAttemptMs = 5_000;
const pauses = { firstMs: 500, longestMs: 10_000 };
/** The status of gRPC for a server that does not answer. */
const unavailable = 14;

type Deps = {
  config: Pick<Config, `TEMPORAL_${string}` & keyof Config>;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Called with the connection before its first use. While it throws, the connection is not used. */
  check: (connection: NativeConnection) => Promise<void>;
};

/**
 * Opens the connection of a process that serves while Temporal is away: as soon as Temporal answers, however long that
 * takes. Until then every call fails as it does when Temporal goes away later.
 *
 * @returns after the first attempt, and after five seconds at the latest
 * @throws when the first attempt shows that it cannot succeed: a certificate that cannot be read, what `check` throws
 */
export async function connectTemporalLater({
  config,
  log,
  check,
}: Deps): Promise<{ connection: NativeConnection; close(): Promise<void> }> {
  const address = config.TEMPORAL_ADDRESS;
  const stopping = new AbortController();
  const state: { open?: NativeConnection; failure?: Error } = {};

  async function attempt(): Promise<void> {
    let opened: NativeConnection | undefined;
    try {
      opened = await connectTemporal(config);
      await check(opened);
      stopping.signal.throwIfAborted();
      state.open = opened;
    } catch (error) {
      state.failure = error as Error;
      await opened?.close().catch(() => undefined);
    }
  }

  async function keepTrying(): Promise<void> {
    let pauseMs = pauses.firstMs;
    while (!state.open) {
      log.warn({ err: state.failure, address, retryInMs: pauseMs }, 'Temporal cannot be used yet; it is tried again');
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await attempt();
      pauseMs = Math.min(2 * pauseMs, pauses.longestMs);
    }
    log.info({ address }, 'Temporal answers');
  }

  const first = attempt();
  await withTimeout(first, firstAttemptMs, () => undefined);
  const mayPass = isTemporalUnavailable(state.failure) || isDatabaseUnavailable(state.failure);
  if (state.failure !== undefined && !mayPass) throw state.failure;
  if (!state.open) void first.then(() => (state.open ? undefined : keepTrying()));

  return {
    connection: new Proxy({} as NativeConnection, {
      get(_, name) {
        if (state.open) return Reflect.get(state.open, name) as unknown;
        // The client reads them when it is made.
        if (name === 'plugins') return [];
        throw notConnected(state.failure);
      },
    }),
    async close() {
      stopping.abort();
      await state.open?.close();
    },
  };
}

/** In the form of gRPC's errors, by which callers know that a repeat may succeed. */
function notConnected(failure: Error | undefined): Error {
  const details =
    failure instanceof AlfredError ? failure.message : 'Temporal has not answered since this process started';
  return Object.assign(new Error(details), { code: unavailable, details, metadata: {} });
}
