import { createServer } from 'node:net';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';
import type { Logger } from './logger.ts';

/**
 * Sets up the SDK's core once a process, before the first connection: its log goes into ours, its metrics are kept on a
 * loopback port of their own, in seconds and with `_total`, from where `/metrics` reads them.
 *
 * @returns reads the SDK's metrics in Prometheus text form
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
    // A process decides itself when to drain; see runtime/shutdown.ts.
    shutdownSignals: [],
  });
  return async () => {
    const response = await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(2_000) });
    return response.text();
  };
}

/** What the activity interceptor and the task's own event say better. */
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
