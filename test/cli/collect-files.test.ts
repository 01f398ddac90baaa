import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { collectFiles } from '../../cli/client/collect-files.ts';
import { batches } from '../../cli/client/upload.ts';

let folder = '';
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'alfred-files-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeFiles(paths: string[]) {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path);
  }
}
const collect = async (paths: string[], prefix?: string) =>
  (
    await collectFiles(
      paths.map((path) => join(folder, path)),
      prefix === undefined ? {} : { prefix },
    )
  ).files;
const names = async (...paths: string[]) => (await collect(paths)).map(({ name }) => name);

test('a file’s name does not depend on how the folder is written', async () => {
  await writeFiles(['policies/a.md', 'policies/sub/b.PDF']);
  const expected = ['policies/a.md', 'policies/sub/b.PDF'];
  expect(await names('policies')).toEqual(expected);
  expect(await names('policies/')).toEqual(expected);
  expect(await names('policies/sub/..')).toEqual(expected);
});

test('in folders, hidden files, node_modules and other kinds are skipped and counted; an explicit file is collected', async () => {
  await writeFiles([
    'f/a.md',
    'f/.hidden.md',
    'f/.git/b.md',
    'f/node_modules/c.md',
    'f/photo.jpg',
    'f/package-lock.json',
  ]);
  const { files, skipped } = await collectFiles([join(folder, 'f')]);
  expect(files.map(({ name }) => name)).toEqual(['f/a.md']);
  expect(skipped).toEqual({ unsupported: 2, hidden: 3 });
  expect(await names('f/photo.jpg')).toEqual(['f/photo.jpg']);
});

test('symbolic links are followed, and a loop ends', async () => {
  await writeFiles(['f/a.md', 'other/b.md']);
  await symlink(join(folder, 'f'), join(folder, 'f/loop'));
  await symlink(join(folder, 'other'), join(folder, 'f/other'));
  await symlink(join(folder, 'nowhere'), join(folder, 'f/broken.md'));
  expect(await names('f')).toEqual(['f/a.md', 'f/other/b.md']);
});

test('a name does not depend on the working directory, nor on whether the file or its folder is given', async () => {
  await writeFiles(['x/docs/a.md', 'x/docs/sub/b.md']);
  const before = process.cwd();
  const seen: string[][] = [];
  try {
    for (const [from, path] of [
      ['.', 'x/docs'],
      ['x', 'docs'],
      ['x/docs', '.'],
      ['x/docs/sub', '..'],
      ['x/docs/sub', '../../../x/docs/'],
      ['x', join(folder, 'x/docs')],
    ] as const) {
      process.chdir(join(folder, from));
      seen.push((await collectFiles([path])).files.map(({ name, origin }) => `${origin} ${name}`));
    }
  } finally {
    process.chdir(before);
  }
  for (const one of seen) expect(one).toEqual([`${folder}/x docs/a.md`, `${folder}/x docs/sub/b.md`]);
  expect(await collect(['x/docs/a.md'])).toMatchObject([{ name: 'docs/a.md', origin: `${folder}/x` }]);
  expect(await collect(['x/docs/sub/b.md'], 'docs/sub')).toMatchObject([
    { name: 'docs/sub/b.md', origin: `${folder}/x` },
  ]);
  expect(await collect(['x/docs'], 'hr/2026')).toMatchObject([
    { name: 'hr/2026/a.md', origin: `${folder}/x/docs as hr/2026` },
    { name: 'hr/2026/sub/b.md' },
  ]);
  expect(await collect(['x/docs'], '')).toMatchObject([
    { name: 'a.md', origin: `${folder}/x/docs` },
    { name: 'sub/b.md' },
  ]);
});

test('a missing path is refused, and so are two files that would have the same name', async () => {
  await writeFiles(['x/docs/a.md', 'y/docs/a.md']);
  await expect(names('nothing')).rejects.toThrow('there is no such file or folder');
  await expect(names('x/docs', 'y/docs')).rejects.toThrow(
    /x\/docs\/a\.md and .*y\/docs\/a\.md .*docs\/a\.md.*--prefix/,
  );
  expect(await names('x/docs', 'x/docs/a.md')).toEqual(['docs/a.md']);
});

test('batches stay below the limits, and keep every file in order', () => {
  const files = Array.from({ length: 250 }, (_, i) => ({
    path: `${i}`,
    name: `${i}`,
    origin: i < 60 ? '/a' : '/b',
    sizeBytes: i === 7 ? 20_000_000 : 100_000,
  }));
  const groups = batches(files);
  expect(groups.flat()).toEqual(files);
  for (const group of groups) {
    expect(group.length).toBeLessThanOrEqual(100);
    expect(new Set(group.map(({ origin }) => origin)).size).toBe(1);
    if (group.length > 1)
      expect(group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(8_000_000);
  }
  expect(batches([])).toEqual([]);
});
