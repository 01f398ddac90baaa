import { readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { commandLine, isAlive } from './process-table.ts';

const RunFile = z.object({
  /** The process that runs the stack. */
  pid: z.number().int().positive(),
  startedAt: z.iso.datetime(),
  apiUrl: z.string(),
  /** Variables that another process of Alfred needs to join this stack. They include the database's password. */
  environment: z.record(z.string(), z.string()),
  children: z.array(z.object({ name: z.string(), pid: z.number().int().positive() })),
});
export type RunFile = z.infer<typeof RunFile>;

/** Part of the command line of every process that runs a local stack. */
const stackEntry = 'deploy/local/main.ts';

const runFilePath = (dataDir: string) => join(dataDir, 'run.json');

/** The local stack that is running on this data folder, if any. */
export async function readRunFile(dataDir: string): Promise<RunFile | undefined> {
  const run = readLastRun(dataDir);
  return run && isRunning(run) ? run : undefined;
}

/**
 * The run file of the last stack on this data folder, also when that stack was killed. Undefined when there is none, or
 * when it is incomplete or invalid.
 */
export function readLastRun(dataDir: string): RunFile | undefined {
  try {
    return RunFile.safeParse(JSON.parse(readFileSync(runFilePath(dataDir), 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** Whether the stack's process is alive. The command line is checked because another program may have got its id. */
const isRunning = ({ pid }: RunFile) => isAlive(pid) && commandLine(pid).includes(stackEntry);

/**
 * Claims a data folder for one stack. When two start at the same time, one of them gets it.
 *
 * @param initial the content to write first
 * @returns `update` and `remove` for the file (updates are atomic), or `holder`, the stack that has the folder
 */
export async function claimRunFile(
  dataDir: string,
  initial: RunFile,
): Promise<{ update(change: Partial<RunFile>): void; remove(): void } | { holder: RunFile }> {
  const path = runFilePath(dataDir);
  let current = initial;
  const text = () => `${JSON.stringify(current, null, 2)}\n`;
  try {
    writeFileSync(path, text(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const other = readLastRun(dataDir);
    if (other && isRunning(other)) return { holder: other };
    rmSync(path, { force: true });
    writeFileSync(path, text(), { mode: 0o600 });
    // Another start that found the same dead stack may overwrite our file now. The last writer gets the folder.
    await delay(100);
    const winner = readLastRun(dataDir);
    if (winner && winner.pid !== initial.pid && isRunning(winner)) return { holder: winner };
  }
  return {
    update(change) {
      current = { ...current, ...change };
      writeFileSync(`${path}.${process.pid}`, text(), { mode: 0o600 });
      renameSync(`${path}.${process.pid}`, path);
    },
    remove() {
      if (readLastRun(dataDir)?.pid === initial.pid) unlinkSync(path);
    },
  };
}
