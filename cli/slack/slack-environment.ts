import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { stackEnvironment } from '../stack.ts';

const envFile = fileURLToPath(new URL('../../.env', import.meta.url));

/** The environment of the stack with the file `.env` of the clone, where `npm start` reads the tokens. */
export async function slackEnvironment(environment = process.env): Promise<Record<string, string | undefined>> {
  const text = await readFile(envFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return stackEnvironment({ ...parseEnv(text), ...environment });
}
