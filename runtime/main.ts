import { AlfredError } from '../contract/errors.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';

/**
 * Runs a process: reads the configuration and calls `start`. When that fails, it prints one message and exits with code
 * 1. The message has no stack trace when the configuration is wrong or a port is taken.
 */
export async function runMain(start: (config: Config) => Promise<void>): Promise<void> {
  try {
    await start(loadConfig());
  } catch (error) {
    const isExpected = error instanceof ConfigError || error instanceof AlfredError || isListenError(error);
    process.stderr.write(
      `${isExpected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  }
}

const isListenError = (error: unknown): error is Error =>
  error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'listen';
