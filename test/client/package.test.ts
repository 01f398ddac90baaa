import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { clientTypes, clientTypesPath } from '../../deploy/client/client-types.ts';

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

test('the types are what `npm run client:types` writes', async () => {
  expect((await readFile(clientTypesPath, 'utf8')) === (await clientTypes())).toBe(true);
});

test('the package has the version and the licence of the repository, and no dependencies', async () => {
  const [own, root] = [await readJson('client/package.json'), await readJson('package.json')];
  expect([own.version, own.license]).toEqual([root.version, root.license]);
  expect(await readFile('client/LICENSE', 'utf8')).toBe(await readFile('LICENSE', 'utf8'));
  expect(Object.keys(own).filter((field) => /dependencies/i.test(field))).toEqual([]);
});
