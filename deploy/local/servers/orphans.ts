import type { Logger } from '../../../runtime/logger.ts';
import { commandLine, endProcess } from '../process-table.ts';
import type { RunFile } from '../run-file.ts';
import { StepFailure } from '../step-failure.ts';

/**
 * Ends the servers that a killed stack left running. A process of the run file is ended only if its command line names
 * our data folder, because its id may belong to another program by now.
 *
 * @returns the names of the servers that were ended
 * @throws StepFailure when a server does not end
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
  command.includes(dataDir) && / (server start-dev|-D|start --optimized) /.test(command);
