import { createServer } from 'node:net';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';
import type { Logger } from './logger.ts';

/**
 * Sets up the Temporal SDK's native core. Must run once a process, before the first connection. The core's log goes
 * into our log. The core serves its metrics on a loopback port of its own, from where our `/metrics` reads them.
 *
 * @returns a function that reads the core's metrics in the Prometheus text format
 */
export async function installTemporalRuntime(log: Logger): Promise<() => Promise<string>> {
  const bindAddress = `127.0.0.1:${await freePort()}`;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) =>
      log[loggedElsewhere.has(message) ? 'debug' : pinoLevels[level]](meta ?? {}, message),
    ),
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      metrics: {
        prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
      },
    },
    // The SDK must not react to signals: runtime/shutdown.ts decides when to drain.
    shutdownSignals: [],
  });
  return async () => {
    const response = await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(2_000) });
    return response.text();
  };
}

/** Messages that the activity interceptor and the task's own event report with more detail. */
const loggedElsewhere = new Set(['Activity failed', 'Workflow failed']);

const pinoLevels = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const satisfies Record<LogLevel, string>;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
