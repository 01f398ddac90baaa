import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { withFileLock } from '../../cli/login/file-lock.ts';

const newLock = async () => join(await mkdtemp(join(tmpdir(), 'alfred-lock-')), 'sign-in.lock');
const waitNot = { waitMs: 30, everyMs: 10 };

/** Runs code with `withFileLock` and the `path` of a lock in another process. */
function startProcess(path: string, code: string) {
  const lock = new URL('../../cli/login/file-lock.ts', import.meta.url).href;
  const whole = `const { withFileLock } = await import(${JSON.stringify(lock)});
    const path = ${JSON.stringify(path)};
    ${code}`;
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', whole], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** A process that says when it has the lock, and keeps it until it is killed. */
async function startHolder(path: string) {
  const holder = startProcess(
    path,
    `await withFileLock(path, () => new Promise((_, reject) => {
      console.log('held');
      setTimeout(reject, 60_000);
    }));`,
  );
  await once(holder.stdout, 'data');
  return holder;
}

/** Whether another process gets the lock now. */
async function isFreeElsewhere(path: string): Promise<boolean> {
  const other = startProcess(
    path,
    `console.log(await withFileLock(path, async () => 'free', { waitMs: 30, everyMs: 10 }).catch(() => 'taken'));`,
  );
  const [answer] = (await once(other.stdout, 'data')) as [Buffer];
  return String(answer).trim() === 'free';
}

test('when a process that holds the lock is killed, one of those who wait has it at a time', async () => {
  const path = await newLock();
  const holder = await startHolder(path);
  await expect(withFileLock(path, async () => 1, waitNot)).rejects.toThrow(/Another `alfred`/);
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
    await expect(withFileLock(path, async () => 1, waitNot)).rejects.toThrow(/Another `alfred`/);
  });
  const failing = withFileLock(path, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withFileLock(path, async () => 2)).toBe(2);
});

test('calls of one process wait for each other, and those who wait do not lose the lock of the one that works', async () => {
  const path = await newLock();
  const ended: string[] = [];
  const second = await withFileLock(path, async () => {
    const waits = withFileLock(path, async () => ended.push('second'));
    expect(await isFreeElsewhere(path)).toBe(false);
    ended.push('first');
    return { waits };
  });
  await second.waits;
  expect(ended).toEqual(['first', 'second']);
  expect(await isFreeElsewhere(path)).toBe(true);
});

test('a file that is no lock is refused with what to do', async () => {
  const path = await newLock();
  await writeFile(path, 'x'.repeat(4_096));
  await expect(withFileLock(path, async () => 1)).rejects.toThrow(/cannot be locked: .*XDG_CONFIG_HOME/);
});
