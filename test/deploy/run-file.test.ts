import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { claimRunFile, readLastRun, readRunFile, type RunFile } from '../../deploy/local/run-file.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'alfred-run-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const runFileOf = (pid: number, apiUrl = 'http://127.0.0.1:1'): RunFile => ({
  pid,
  startedAt: new Date().toISOString(),
  apiUrl,
  environment: {},
  children: [],
});

/** Starts a process whose command line is that of a running stack, or another one. */
const spawnProcess = (isStack: boolean) =>
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...(isStack ? ['deploy/local/main.ts'] : [])], {
    stdio: 'ignore',
  });

async function withProcess(isStack: boolean, use: (pid: number) => Promise<void>) {
  const child = spawnProcess(isStack);
  await once(child, 'spawn');
  try {
    await use(child.pid ?? 0);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

test('a folder without a started stack has no run', async () => {
  expect(readLastRun(dir)).toBeUndefined();
  expect(await readRunFile(join(dir, 'missing'))).toBeUndefined();
});

test('a claimed folder has a run file, readable by its owner only, until the claim is removed', async () => {
  await withProcess(true, async (pid) => {
    const claim = await claimRunFile(dir, runFileOf(pid));
    if (!('update' in claim)) throw new Error('not claimed');
    claim.update({ children: [{ name: 'Temporal', pid: 7 }] });
    expect(await readRunFile(dir)).toMatchObject({ pid, children: [{ name: 'Temporal', pid: 7 }] });
    expect((await stat(join(dir, 'run.json'))).mode & 0o777).toBe(0o600);
    claim.remove();
    expect(readLastRun(dir)).toBeUndefined();
  });
});

test('a folder with a running stack cannot be claimed', async () => {
  await withProcess(true, async (pid) => {
    await claimRunFile(dir, runFileOf(pid, 'http://127.0.0.1:4711'));
    expect(await claimRunFile(dir, runFileOf(process.pid))).toMatchObject({
      holder: { pid, apiUrl: 'http://127.0.0.1:4711' },
    });
  });
});

test('a run file whose process id now belongs to another program counts as not running, and its folder is free', async () => {
  await withProcess(false, async (pid) => {
    await claimRunFile(dir, runFileOf(pid));
    expect(await readRunFile(dir)).toBeUndefined();
    expect(readLastRun(dir)?.pid).toBe(pid);
    expect(await claimRunFile(dir, runFileOf(process.pid))).toHaveProperty('update');
    expect(readLastRun(dir)?.pid).toBe(process.pid);
  });
});

test('when two stacks claim the folder of a dead stack at the same time, one gets it', async () => {
  await claimRunFile(dir, runFileOf(2 ** 22 + 1));
  await withProcess(true, (firstPid) =>
    withProcess(true, async (secondPid) => {
      const claims = await Promise.all([
        claimRunFile(dir, runFileOf(firstPid)),
        claimRunFile(dir, runFileOf(secondPid)),
      ]);
      expect(claims.filter((claim) => 'update' in claim)).toHaveLength(1);
    }),
  );
});

test.each(['', '{"pid": 1', '{"pid": "one"}', '[]'])('a run file that holds %j counts as none', async (text) => {
  await writeFile(join(dir, 'run.json'), text);
  expect(readLastRun(dir)).toBeUndefined();
  expect(await claimRunFile(dir, runFileOf(process.pid))).toHaveProperty('update');
});
