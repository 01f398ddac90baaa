import type { Logger } from './logger.ts';

/**
 * Runs `stop` once on SIGINT or SIGTERM and leaves with code 0; a second signal leaves at once.
 *
 * @param stop drains and closes; an error is logged and turns the exit code to 1
 */
export function onShutdown(log: Logger, stop: (signal: string) => Promise<void>): void {
  let stopping = false;
  const leave = async (signal: string) => {
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
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void leave(signal));
}
