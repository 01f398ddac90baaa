import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withFileLock } from '../../cli/login/file-lock.ts';

const newLock = async () => join(await mkdtemp(join(tmpdir(), 'alfred-lock-')), 'sign-in.lock');
const waitNot = { waitMs: 30, everyMs: 10 };

/** A process that says when it has the lock, and keeps it until it is killed. */
async function startHolder(path: string) {
  const lock = new URL('../../cli/login/file-lock.ts', import.meta.url).href;
  const code = `const { withFileLock } = await import(${JSON.stringify(lock)});
    await withFileLock(${JSON.stringify(path)}, () => new Promise((_, reject) => {
      console.log('held');
      setTimeout(reject, 60_000);
    }));`;
  const holder = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  return holder;
}

test('when a process that holds the lock is killed, one of those who wait has it at a time', async () => {
  const path = await newLock();
  const holder = await startHolder(path);
  await expect(withFileLock(path, async () => 1, waitNot)).rejects.toThrow(/Another process/);
  let running = 0;
  const seen: number[] = [];
  const work = async () => {
    running += 1;
    seen.push(running);
    await new Promise(setImmediate);
    running -= 1;
  };
  const waiting = Promise.all(Array.from({ length: 20 }, () => withFileLock(path, work, { everyMs: 1 })));
  holder.kill('SIGKILL');
  await waiting;
  expect(seen).toEqual(Array(20).fill(1));
  expect(await readdir(join(path, '..'))).toEqual(['sign-in.lock']);
  expect([(await stat(path)).mode & 0o777, await readFile(path, 'utf8')]).toEqual([0o600, '']);
});

test('a lock counts as long as its work goes on, also for hours, and is given back after an error', async () => {
  const path = await newLock();
  await withFileLock(path, async () => {
    // As after the sleep of a laptop: a lock must not be taken from work that goes on.
    await utimes(path, 0, 0);
    await expect(withFileLock(path, async () => 1, waitNot)).rejects.toThrow(/Another process/);
  });
  const failing = withFileLock(path, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withFileLock(path, async () => 2)).toBe(2);
});

test('a file that is no lock is refused with what to do', async () => {
  const path = await newLock();
  await writeFile(path, 'x'.repeat(4_096));
  await expect(withFileLock(path, async () => 1)).rejects.toThrow(/cannot be locked: .*XDG_CONFIG_HOME/);
});
