import { mkdir, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { StepFailure } from './step-failure.ts';

/**
 * Creates the data folder and checks that it is writable.
 *
 * @throws StepFailure
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  const probe = join(dataDir, `.probe-${process.pid}`);
  try {
    await mkdir(dataDir, { recursive: true });
    await writeFile(probe, '');
    await unlink(probe);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOSPC'
        ? 'the disk is full'
        : code === 'EROFS'
          ? 'the disk is read-only'
          : code === 'EACCES'
            ? 'permission denied'
            : (error as Error).message;
    throw new StepFailure(`The data folder ${dataDir} cannot be written: ${reason}.`, [
      'make it writable, or set ALFRED_DATA_DIR to a folder that is',
    ]);
  }
}

/**
 * Files and folders of the local stack. Only these are deleted: the data folder may be one that holds other files too.
 */
const stackEntries = ['postgres', 'temporal', 'index', 'keycloak', 'cache', 'logs', 'ports.json', 'run.json'];

/**
 * Deletes the data of the local stack, after asking on a terminal.
 *
 * @throws StepFailure when the person does not confirm, or there is no terminal to ask on
 */
export async function deleteData(
  dataDir: string,
  {
    yes,
    input = process.stdin,
    output = process.stdout,
  }: { yes: boolean; input?: NodeJS.ReadStream; output?: NodeJS.WriteStream },
): Promise<void> {
  const entries = (await readdir(dataDir).catch(() => [])).filter((name) => stackEntries.includes(name));
  if (entries.length === 0) return;
  if (!yes) {
    if (!input.isTTY)
      throw new StepFailure(`--fresh deletes all data in ${dataDir}, and there is no terminal to ask on.`, [
        'add --yes: npm start -- --fresh --yes',
      ]);
    const terminal = createInterface({ input, output });
    // Ctrl-C at the question counts as no.
    const answer = await terminal
      .question(`Delete all tasks, documents and conversations in ${dataDir}? Type yes: `)
      .catch(() => '')
      .finally(() => terminal.close());
    if (answer.trim().toLowerCase() !== 'yes') throw new StepFailure('Nothing was deleted.');
  }
  for (const name of entries) await remove(join(dataDir, name));
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const owner = (await stat(path).catch(() => undefined))?.uid;
    throw new StepFailure(`${path} cannot be deleted: ${(error as Error).message}.`, [
      owner === undefined ? 'delete it by hand' : `it belongs to uid ${owner}: delete it as that user or as root`,
    ]);
  }
}
