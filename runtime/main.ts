import { ConfigError, loadConfig, type Config } from './config.ts';

/**
 * Runs a process: reads the configuration, hands it over, and turns what goes wrong at start into one message for
 * people and exit code 1.
 */
export async function runMain(start: (config: Config) => Promise<void>): Promise<void> {
  try {
    await start(loadConfig());
  } catch (error) {
    const known = error instanceof ConfigError || isListenError(error);
    process.stderr.write(
      `${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  }
}

const isListenError = (error: unknown): error is Error =>
  error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'listen';
