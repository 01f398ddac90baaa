import { join } from 'node:path';
import { styleText } from 'node:util';
import { ConfigError } from '../../runtime/config.ts';
import { readRunFile } from './run-file.ts';
import { readArguments, usage } from './arguments.ts';
import { createCleanup } from './cleanup.ts';
import { deleteData, prepareDataDir } from './data-dir.ts';
import { createLocalLog } from './local-log.ts';
import { readSettings } from './settings.ts';
import type { Stack, startStack as StartStack } from './stack.ts';
import { StepFailure } from './step-failure.ts';
import { createSteps } from './steps.ts';
import { waitForStop } from './stop-signals.ts';
import { formatSummary } from './summary.ts';

/** @returns the exit code */
async function main(): Promise<number> {
  const { help, fresh, yes, keycloak, model } = readArguments(process.argv.slice(2));
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const settings = readSettings(model === undefined ? process.env : { ...process.env, ALFRED_MODEL: model }, {
    keycloak,
  });
  const { config, dataDir, environment } = settings;
  if (fresh) {
    const run = await readRunFile(dataDir);
    if (run)
      throw new StepFailure(`--fresh deletes the data of the stack that runs at ${run.apiUrl} (process ${run.pid}).`, [
        `end it first: Ctrl-C in its terminal, or kill ${run.pid}`,
      ]);
    await deleteData(dataDir, { yes });
  }
  await prepareDataDir(dataDir);

  const steps = createSteps();
  const log = createLocalLog(config, {
    logsDir: join(dataDir, 'logs'),
    print: steps.print,
    levelIsSet: Boolean(environment.ALFRED_LOG_LEVEL),
    pretty: environment.ALFRED_LOG_FORMAT ? config.ALFRED_LOG_FORMAT === 'pretty' : Boolean(process.stdout.isTTY),
  });
  const cleanup = createCleanup();
  const stopped = waitForStop(() => process.exit(130));
  const starting = loadAndStart({ settings, steps, log, cleanup });
  let code = 0;
  try {
    const stack = await Promise.race([starting, stopped]);
    if (typeof stack === 'string') {
      code = 130;
      steps.stopShowing();
      steps.print(`Stopping (${stack}) before Alfred was ready ...`);
    } else {
      steps.print(formatSummary(stack, dataDir));
      const why = await Promise.race([stopped, stack.failed]);
      steps.print(`\nStopping (${why}): running work has ${config.ALFRED_SHUTDOWN_GRACE_S} s to finish ...`);
      log.info({ why }, 'stopping');
    }
  } catch (error) {
    code = 1;
    starting.catch(() => undefined);
    steps.stopShowing();
    printError(error);
    // For the log file: the terminal has the message already.
    log.info({ err: error }, 'the stack cannot go on');
  }
  starting.catch(() => undefined);
  const isClean = await cleanup.run(log);
  steps.print(code === 0 && isClean ? 'Stopped. All data are kept.' : 'Stopped.');
  log.flush();
  return code || (isClean ? 0 : 1);
}

/**
 * Loads the stack only now: the Temporal SDK takes a second, and a wrong option or variable is reported before that.
 */
const loadAndStart = async (deps: Parameters<typeof StartStack>[0]): Promise<Stack> =>
  (await import('./stack.ts')).startStack(deps);

/** Prints what failed and what to do. Only an unexpected error gets a stack trace. */
function printError(error: unknown): void {
  const isExpected =
    error instanceof StepFailure ||
    error instanceof ConfigError ||
    (error as NodeJS.ErrnoException).syscall === 'listen';
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  const todo = error instanceof StepFailure ? error.todo.map((line) => `  → ${line}`) : [];
  process.stderr.write(
    `\n${styleText('red', 'Alfred cannot run.', { stream: process.stderr })} ${[text, ...todo].join('\n')}\n`,
  );
}

try {
  process.exit(await main());
} catch (error) {
  printError(error);
  process.exit(1);
}
