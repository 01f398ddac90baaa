import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withFileLock } from '../../cli/login/file-lock.ts';

const newLock = async () => join(await mkdtemp(join(tmpdir(), 'alfred-lock-')), 'sign-in.lock');
/** No process has this id: Linux gives at most 4 million. */
const ended = 99_999_999;

test('one at a time works under a lock, also when it was left by a process that has ended', async () => {
  const path = await newLock();
  await writeFile(path, `${ended} ${hostname()} left-behind`);
  let running = 0;
  const seen: number[] = [];
  const work = async () => {
    running += 1;
    seen.push(running);
    await new Promise(setImmediate);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => withFileLock(path, work, { everyMs: 1 })));
  expect(seen).toEqual(Array(20).fill(1));
  expect(await readdir(join(path, '..'))).toEqual([]);
});

test('the lock of a process that runs, or of another machine, is respected, and one is given back after an error', async () => {
  for (const holder of [`${process.pid} ${hostname()} mine`, `${ended} another-machine theirs`]) {
    const path = await newLock();
    await writeFile(path, holder);
    await expect(withFileLock(path, async () => 1, { waitMs: 30, everyMs: 10 })).rejects.toThrow(/Another process/);
    expect(await readFile(path, 'utf8')).toBe(holder);
  }
  const path = await newLock();
  const failing = withFileLock(path, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withFileLock(path, async () => 2)).toBe(2);
});
