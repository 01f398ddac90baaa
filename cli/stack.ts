import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRunFile, type RunFile } from '../deploy/local/run-file.ts';
import { usageError } from './cli-error.ts';

const clone = fileURLToPath(new URL('../', import.meta.url));
const defaultUrl = 'http://127.0.0.1:8080';

/** Where Alfred is looked for, and why there. */
export type Stack = { url: string; foundBy: string };

/** Where this clone keeps its data, as an absolute path. */
export const dataDir = (environment = process.env) => resolve(clone, environment.ALFRED_DATA_DIR || '.alfred');

/** The run file of this clone's own stack, if one runs. */
export const localRun = (environment = process.env): Promise<RunFile | undefined> => readRunFile(dataDir(environment));

/** ALFRED_URL, else the stack that runs in this clone, else the usual address. Read anew each time: a restart may move it. */
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

/** The environment of the local stack laid over ours, so that a command joins that stack. */
export async function stackEnvironment(environment = process.env): Promise<Record<string, string | undefined>> {
  const run = await localRun(environment);
  return { ...environment, ...run?.environment };
}
