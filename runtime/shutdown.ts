import type { Logger } from './logger.ts';

/**
 * On SIGINT or SIGTERM runs `stop` once and exits with code 0. A second signal exits at once with code 130.
 *
 * @param stop drains and closes; when it fails, the error is logged and the exit code is 1
 */
export function onShutdown(log: Logger, stop: (signal: string) => Promise<void>): void {
  let stopping = false;
  const shutDown = async (signal: string) => {
    if (stopping) process.exit(130);
    stopping = true;
    log.info({ signal }, 'stopping');
    try {
      await stop(signal);
      log.flush();
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, 'stopping failed');
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void shutDown(signal));
}
