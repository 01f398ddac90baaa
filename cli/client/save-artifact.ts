import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Artifact } from '../../contract/artifacts.ts';
import { artifactName } from '../../contract/rules/artifact-name.ts';
import { CliError } from '../cli-error.ts';
import type { ApiClient } from './api-client.ts';

/** How many names are tried for files of the same name. */
const mostNames = 1_000;

/**
 * Downloads a file of a task. A file that is there stays as it is: the new one gets a number.
 *
 * @param path of the task
 * @returns where it was saved
 */
export async function saveArtifact(api: ApiClient, path: string, artifact: Artifact, folder: string): Promise<string> {
  const response = await api.open(`${path}/artifacts/${artifact.id}`, { headers: { accept: '*/*' } });
  const { file, handle } = await createFile(folder, artifactName(artifact.name));
  const digest = createHash('sha256');
  try {
    for await (const part of response.body ?? []) {
      const bytes = part as Uint8Array;
      digest.update(bytes);
      await handle.writeFile(bytes);
    }
    if (digest.digest('hex') !== artifact.sha256)
      throw new CliError(`${artifact.name} did not arrive whole. Repeat the command.`);
  } catch (error) {
    await handle.close();
    await rm(file, { force: true });
    if (error instanceof CliError) throw error;
    throw new CliError(`${artifact.name} could not be saved: ${(error as Error).message}`, { cause: error });
  }
  await handle.close();
  return file;
}

/** Creates a file that is not there yet. */
async function createFile(folder: string, name: string) {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let number = 1; number <= mostNames; number++) {
    const file = join(folder, number === 1 ? name : `${stem} (${number})${extension}`);
    try {
      return { file, handle: await open(file, 'wx') };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new CliError(`${file} cannot be written: ${message}`, { cause: error });
    }
  }
  throw new CliError(`${folder} has ${mostNames} files with the name ${name} already. Name another folder.`);
}
