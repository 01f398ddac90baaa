import type { Logger } from '../../../runtime/logger.ts';
import { commandLine, endProcess } from '../process-table.ts';
import type { RunFile } from '../run-file.ts';
import { StepFailure } from '../step-failure.ts';

/**
 * Ends the servers that a killed stack left behind. Only what its run file names and what still works on our data
 * folder: by now the id may be another program's.
 */
export async function endOrphans(
  run: Pick<RunFile, 'children'> | undefined,
  dataDir: string,
  log: Logger,
): Promise<string[]> {
  const orphans = (run?.children ?? []).filter(({ pid }) => isServerOn(dataDir, commandLine(pid)));
  await Promise.all(
    orphans.map(async ({ name, pid }) => {
      log.info({ name, pid }, 'ending what an earlier start left behind');
      const gone = await endProcess(pid, [
        ['SIGINT', 15_000],
        ['SIGKILL', 5_000],
      ]);
      if (!gone)
        throw new StepFailure(
          `${name} of an earlier start (process ${pid}) still runs on ${dataDir} and cannot be ended.`,
          [`end it: kill -9 ${pid}, as its owner or root`],
        );
    }),
  );
  return orphans.map(({ name }) => name);
}

const isServerOn = (dataDir: string, command: string) =>
  command.includes(dataDir) && / (server start-dev|-D) /.test(command);
