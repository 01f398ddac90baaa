import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { fetchModel } from '../../cli/fetch-models.ts';
import type { LocalModel } from '../../deploy/local/downloads/embedding-models.ts';
import { readModelFolder } from '../../knowledge/embeddings/model-folder.ts';
import { dataFolders } from '../deploy/local-stack.ts';
import { startFakeHub } from '../support/fakes/fake-hub.ts';

const folders = dataFolders();
const tokenizer = Buffer.from('{"a": "tokenizer"}');
const weights = { small: Buffer.from('weights of a model'), other: Buffer.from('weights of another model') };
const paths = { 'model.onnx': 'model.onnx', 'tokenizer.json': 'tokenizer.json' };
const pinned = (bytes: Buffer) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
const modelOf = (name: keyof typeof weights): LocalModel => ({
  name,
  description: { name, maxTokens: 64 },
  sources: [
    {
      place: { kind: 'hub', repository: `someone/${name}`, revision: 'abc', paths },
      files: { 'model.onnx': pinned(weights[name]), 'tokenizer.json': pinned(tokenizer) },
    },
  ],
});
const [small, other] = [modelOf('small'), modelOf('other')];

let hub: Awaited<ReturnType<typeof startFakeHub>>;
beforeAll(async () => {
  hub = await startFakeHub(
    Object.fromEntries(
      Object.entries(weights).flatMap(([name, bytes]) => [
        [`/someone/${name}/resolve/abc/model.onnx`, bytes],
        [`/someone/${name}/resolve/abc/tokenizer.json`, tokenizer],
      ]),
    ),
  );
});
afterAll(async () => {
  await hub?.close();
  await folders.removeAll();
});
const fetchInto = (dir: string, model: LocalModel, known = [small, other]) =>
  fetchModel(model, dir, { log: pino({ level: 'silent' }), endpoint: hub.endpoint, known });

test('a model that Alfred fetched is kept up to date and replaced by another one, a model of one’s own is not', async () => {
  const dir = join(await folders.make(), 'models', 'embedding');
  const weightsThere = async () => String(await readFile(join(dir, 'model.onnx')));
  expect(await fetchInto(dir, other)).toEqual({ text: `other is in ${dir}`, isLeftChanged: false });
  await fetchInto(dir, small);
  expect(await weightsThere()).toBe(String(weights.small));
  await writeFile(join(dir, 'alfred-model.json'), '{"name": "small", "maxTokens": 128}');
  await fetchInto(dir, small);
  expect(await readModelFolder(dir)).toMatchObject({ maxTokens: 64 });
  expect(hub.requests).toHaveLength(4);

  await writeFile(join(dir, 'model.onnx'), 'of a person');
  await rm(join(dir, '.alfred-fetched.json'));
  expect(await fetchInto(dir, other)).toEqual({
    text: `${dir} has one of your own, which is left alone`,
    isLeftChanged: false,
  });
  expect(await weightsThere()).toBe('of a person');
});

test('a model that Alfred fetched is replaced also when it is no longer on the list', async () => {
  const dir = join(await folders.make(), 'embedding');
  await fetchInto(dir, other);
  expect(await fetchInto(dir, small, [small])).toEqual({ text: `small is in ${dir}`, isLeftChanged: false });
  expect(String(await readFile(join(dir, 'model.onnx')))).toBe(String(weights.small));
});

test('a folder that an earlier version filled, without a note, is recognised by the list', async () => {
  const dir = join(await folders.make(), 'embedding');
  await fetchInto(dir, other);
  await rm(join(dir, '.alfred-fetched.json'));
  // It gets a note when it is kept, so that a later list need not have its model.
  await fetchInto(dir, other);
  expect(await fetchInto(dir, small, [small])).toEqual({ text: `small is in ${dir}`, isLeftChanged: false });
});

test('a damaged model that Alfred fetched is told, with what to do, and left alone', async () => {
  const dir = join(await folders.make(), 'embedding');
  await fetchInto(dir, small);
  await writeFile(join(dir, 'model.onnx'), 'half a mod');
  const { text, isLeftChanged } = await fetchInto(dir, small);
  expect(isLeftChanged).toBe(true);
  expect(text).toMatch(/changed or damaged since[^]*Remove the folder to have small fetched/);
  expect(String(await readFile(join(dir, 'model.onnx')))).toBe('half a mod');
});

test('what a killed download left beside the folder is removed, and nothing of a person', async () => {
  const models = join(await folders.make(), 'models');
  const old = new Date(Date.now() - 2 * 60 * 60 * 1_000);
  for (const name of ['.alfred-model-killed', '.alfred-model-fresh', 'model-of-a-person']) {
    await mkdir(join(models, name), { recursive: true });
    if (name !== '.alfred-model-fresh') await utimes(join(models, name), old, old);
  }
  await fetchInto(join(models, 'embedding'), small);
  expect((await readdir(models)).sort()).toEqual(['.alfred-model-fresh', 'embedding', 'model-of-a-person']);
});
