import { readFile } from 'node:fs/promises';
import { usageError } from './cli-error.ts';

/** Reads a file that a person has named. @throws CliError that says what is wrong with it */
export async function readJson(path: string): Promise<unknown> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${path} cannot be read: ${error.code}`);
  });
  try {
    return JSON.parse(content);
  } catch (error) {
    throw usageError(`${path} is not JSON: ${(error as Error).message}`);
  }
}
