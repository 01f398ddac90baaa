import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { createConditionWatch } from '../../runtime/condition-watch.ts';
import { createFolderCheck, type FolderFiles } from '../../runtime/folder-check.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { untilPasses } from '../support/until.ts';

/** A disk with room on which nothing fails, with changes. */
const disk = (changes: Partial<FolderFiles> = {}): FolderFiles => ({
  mkdir: async () => undefined,
  freeBytes: async () => 1e12,
  write: async () => undefined,
  remove: async () => undefined,
  list: async () => [],
  changedAtMs: async () => 0,
  ...changes,
});
const failing = (code: string) =>
  disk({ write: () => Promise.reject(Object.assign(new Error(`${code}: write`), { code, syscall: 'write' })) });
const check = (files: FolderFiles) => createFolderCheck('/data/index', 'ALFRED_DATA_DIR', { files })();

test.each([
  ['ENOSPC', 'has no space left'],
  ['EDQUOT', 'has used up its quota'],
  ['EROFS', 'is read-only'],
  ['EACCES', 'may not be written'],
  ['EIO', 'cannot be written (EIO)'],
])('a folder whose writes fail with %s is refused with the reason', async (code, reason) => {
  await expect(check(failing(code))).rejects.toThrow(`/data/index ${reason}: make the folder of ALFRED_DATA_DIR`);
});

test('a folder on a disk that is almost full is refused', async () => {
  await expect(check(disk({ freeBytes: async () => 3_500_000 }))).rejects.toThrow('/data/index has 3 MB of free space');
});

test('a usable folder is made and left empty, a file in its place is refused', async () => {
  const dir = join(await mkdtemp(join(tmpdir(), 'alfred-')), 'index');
  const real = createFolderCheck(dir, 'ALFRED_DATA_DIR', { freshMs: 0 });
  await real();
  expect(await readdir(dir)).toEqual([]);
  await rm(dir, { recursive: true });
  await writeFile(dir, 'in the way');
  await expect(real()).rejects.toThrow('ALFRED_DATA_DIR');
});

test('what killed processes left of their probes is removed, and nothing else', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'alfred-'));
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['.writable-killed', '.writable-of-another-process', 'tenant']) {
    await writeFile(join(dir, name), '');
    if (name !== '.writable-of-another-process') await utimes(join(dir, name), old, old);
  }
  await createFolderCheck(dir, 'ALFRED_DATA_DIR')();
  expect((await readdir(dir)).sort()).toEqual(['.writable-of-another-process', 'tenant']);
  await rm(dir, { recursive: true });
});

test('a folder that hangs is tried once, counts as failed, and is tried again when it has answered', async () => {
  let writes = 0;
  const answered = Promise.withResolvers<void>();
  const files = disk({
    write: () => {
      writes++;
      return answered.promise;
    },
  });
  const ask = createFolderCheck('/data/index', 'ALFRED_DATA_DIR', { files, freshMs: 0, timeoutMs: 1 });
  for (let times = 0; times < 3; times++) await expect(ask()).rejects.toThrow('/data/index does not answer');
  expect(writes).toBe(1);
  answered.resolve();
  await untilPasses('the folder is usable again', ask);
});

test('many probes of a folder are one write', async () => {
  let writes = 0;
  const files = disk({ write: async () => void writes++ });
  const ask = createFolderCheck('/data/index', 'ALFRED_DATA_DIR', { files });
  await Promise.all([ask(), ask()]);
  await ask();
  expect(writes).toBe(1);
});

test('a process without its folder is not ready and says why', async () => {
  const readiness = createReadiness({});
  readiness.require('data_folder', () => check(failing('ENOSPC')));
  readiness.markServing();
  expect(await readiness.read()).toMatchObject({
    status: 'unready',
    dependencies: { data_folder: { status: 'down', detail: expect.stringContaining('has no space left') } },
  });
});

test('a watch tells when its condition ends and when it holds again', async () => {
  const log = { error: jest.fn(), info: jest.fn() };
  let files = disk();
  const watch = createConditionWatch(() => check(files), {
    log: log as unknown as Logger,
    name: 'data_folder',
    everyMs: 1,
  });
  await watch.start();
  expect(watch.holds()).toBe(true);
  files = failing('EROFS');
  await watch.until(false);
  expect(log.error).toHaveBeenCalledWith(
    { name: 'data_folder', reason: expect.stringContaining('is read-only') },
    expect.any(String),
  );
  files = disk();
  await watch.until(true);
  watch.close();
  expect([log.error.mock.calls.length, log.info.mock.calls.length]).toEqual([1, 1]);
});
