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
  /** Variables that another process of Alfred needs to join this stack; the database's password is among them. */
  environment: z.record(z.string(), z.string()),
  children: z.array(z.object({ name: z.string(), pid: z.number().int().positive() })),
});
export type RunFile = z.infer<typeof RunFile>;

/** What the command line of the process that runs a local stack holds. */
const entry = 'deploy/local/main.ts';

const pathIn = (dataDir: string) => join(dataDir, 'run.json');

/** The local stack that runs on this data folder, or none. */
export async function readRunFile(dataDir: string): Promise<RunFile | undefined> {
  const run = readLastRun(dataDir);
  return run && isRunning(run) ? run : undefined;
}

/**
 * What the last stack on this data folder left; present also when it was killed. A file that is cut short or of another
 * kind counts as none.
 */
export function readLastRun(dataDir: string): RunFile | undefined {
  try {
    return RunFile.safeParse(JSON.parse(readFileSync(pathIn(dataDir), 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** Whether the process that wrote it still lives and is not another one that got its id. */
const isRunning = ({ pid }: RunFile) => isAlive(pid) && commandLine(pid).includes(entry);

/**
 * Claims a data folder for one stack. Of two that start at once, one gets it.
 *
 * @param first what is known so far
 * @returns changes the file (each change whole or not at all) and removes it; or the stack that has the folder
 */
export async function claimRunFile(
  dataDir: string,
  first: RunFile,
): Promise<{ update(change: Partial<RunFile>): void; remove(): void } | { runs: RunFile }> {
  const path = pathIn(dataDir);
  let current = first;
  const text = () => `${JSON.stringify(current, null, 2)}\n`;
  try {
    writeFileSync(path, text(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const other = readLastRun(dataDir);
    if (other && isRunning(other)) return { runs: other };
    rmSync(path, { force: true });
    writeFileSync(path, text(), { mode: 0o600 });
    // Another start that found the same dead stack may replace ours now: the last to write has the folder.
    await delay(100);
    const winner = readLastRun(dataDir);
    if (winner && winner.pid !== first.pid && isRunning(winner)) return { runs: winner };
  }
  return {
    update(change) {
      current = { ...current, ...change };
      writeFileSync(`${path}.${process.pid}`, text(), { mode: 0o600 });
      renameSync(`${path}.${process.pid}`, path);
    },
    remove() {
      if (readLastRun(dataDir)?.pid === first.pid) unlinkSync(path);
    },
  };
}
