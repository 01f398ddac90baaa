import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRunFile, type RunFile } from '../deploy/local/run-file.ts';
import { usageError } from './cli-error.ts';

const clone = fileURLToPath(new URL('../', import.meta.url));
const defaultUrl = 'http://127.0.0.1:8080';

/** The address of Alfred's API, and how it was found, for error messages. */
export type Stack = { url: string; foundBy: string };

/** The data directory of this clone, as an absolute path. */
export const dataDir = (environment = process.env) => resolve(clone, environment.ALFRED_DATA_DIR || '.alfred');

/** The run file of the stack that runs in this clone, if one runs. */
export const localRun = (environment = process.env): Promise<RunFile | undefined> => readRunFile(dataDir(environment));

/**
 * ALFRED_URL, else the stack that runs in this clone, else the default address. Call it for each request: a restart may
 * have moved the stack to another port.
 *
 * @throws CliError when ALFRED_URL is not an HTTP address
 */
export async function findStack(environment = process.env): Promise<Stack> {
  if (environment.ALFRED_URL) {
    if (!URL.canParse(environment.ALFRED_URL) || !/^https?:$/.test(new URL(environment.ALFRED_URL).protocol)) {
      throw usageError(`ALFRED_URL is not an address: "${environment.ALFRED_URL}" (expected http://host:port)`);
    }
    return { url: environment.ALFRED_URL.replace(/\/+$/, ''), foundBy: 'ALFRED_URL' };
  }
  const run = await localRun(environment);
  if (run) return { url: run.apiUrl, foundBy: '.alfred/run.json' };
  return { url: defaultUrl, foundBy: 'the default address; no stack runs in this clone and ALFRED_URL is not set' };
}

/** Our environment, overridden by that of the stack that runs in this clone: a command uses the stack's servers. */
export async function stackEnvironment(environment = process.env): Promise<Record<string, string | undefined>> {
  const run = await localRun(environment);
  return { ...environment, ...run?.environment };
}

/**
 * ALFRED_TOKEN: an access token or an API key.
 *
 * @throws CliError when it cannot stand in a header
 */
export function tokenOf(environment = process.env): string | undefined {
  const token = environment.ALFRED_TOKEN?.trim();
  if (token && !/^[\w.~+/-]+=*$/.test(token))
    throw usageError('ALFRED_TOKEN is neither an access token nor an API key: it has other characters than those have');
  return token || undefined;
}
