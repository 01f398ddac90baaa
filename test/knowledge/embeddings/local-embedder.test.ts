import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalEmbedder } from '../../../knowledge/embeddings/local-embedder.ts';
import { readModelFolder } from '../../../knowledge/embeddings/model-folder.ts';
import { tokenWindows, weightedMean } from '../../../knowledge/embeddings/token-windows.ts';
import type { Embedder } from '../../../contract/ports/index.ts';
import { toyOnnx, toyTokenizer } from '../../support/files/toy-onnx.ts';

const folders: string[] = [];
const opened: Embedder[] = [];
afterAll(async () => {
  await Promise.all(opened.map((embedder) => embedder.close()));
  await Promise.all(folders.map((dir) => rm(dir, { recursive: true })));
});

/**
 * A folder with a model that has an axis for each of three words. Special tokens and all other words are zero vectors.
 */
async function createModelFolder(description?: object) {
  const dir = await mkdtemp(join(tmpdir(), 'alfred-model-'));
  folders.push(dir);
  const zero = [0, 0, 0];
  await writeFile(join(dir, 'model.onnx'), toyOnnx([zero, zero, zero, [1, 0, 0], [0, 1, 0], [0, 0, 1]]));
  await writeFile(join(dir, 'tokenizer.json'), toyTokenizer(['dog', 'cat', 'leave']));
  if (description) await writeFile(join(dir, 'alfred-model.json'), JSON.stringify(description));
  return dir;
}
async function openEmbedder(description?: object): Promise<Embedder> {
  const model = await readModelFolder(await createModelFolder(description));
  if (!model) throw new Error('no model');
  const embedder = createLocalEmbedder(model);
  opened.push(embedder);
  return embedder;
}
const signal = AbortSignal.timeout(30_000);
const rounded = (vector: Float32Array | undefined) => [...(vector ?? [])].map((x) => Number(x.toFixed(3)));

describe('the local embedder', () => {
  let embedder: Embedder;
  beforeAll(async () => {
    embedder = await openEmbedder({ name: 'toy', maxTokens: 16, queryPrefix: 'dog ' });
  });

  test('a text that fits is embedded in one window, together with its headings', async () => {
    const [passage] = await embedder.embedPassages([{ headings: 'dog', text: 'cat leave leave' }], signal);
    expect(rounded(passage?.vector)).toEqual([0.408, 0.408, 0.816]);
  });

  test('the end of a long text counts as much as its beginning', async () => {
    const long = `${'cat '.repeat(14)}${'leave '.repeat(14)}`;
    const [whole, beginning] = await embedder.embedPassages(
      [
        { headings: '', text: long },
        { headings: '', text: 'cat '.repeat(14) },
      ],
      signal,
    );
    expect(rounded(beginning?.vector)).toEqual([0, 1, 0]);
    expect(rounded(whole?.vector)).toEqual([0, 0.707, 0.707]);
  });

  test('headings are repeated before each part of a long text', async () => {
    const [passage] = await embedder.embedPassages([{ headings: 'dog', text: 'a '.repeat(60) }], signal);
    expect(rounded(passage?.vector)).toEqual([1, 0, 0]);
  });

  test('each sentence has a vector of its own words, also where a window ends inside it', async () => {
    const long = 'leave '.repeat(20);
    const text = `cat a\n\n${long}\n\ndog\n\na a`;
    const [passage] = await embedder.embedPassages([{ headings: 'dog', text }], signal);
    expect(passage?.sentences?.map(rounded)).toEqual([
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
    ]);
  });

  test('many passages and a query at the same time each get their own vector', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => ['dog', 'cat', 'leave'][i % 3] ?? '');
    const [passages, query] = await Promise.all([
      embedder.embedPassages(
        texts.map((text) => ({ headings: '', text })),
        signal,
      ),
      embedder.embedQuery('leave', signal),
    ]);
    expect(passages.map(({ vector }) => rounded(vector).indexOf(1))).toEqual(texts.map((_, i) => i % 3));
    expect(rounded(query)).toEqual([0.707, 0, 0.707]);
  });

  test('an aborted call ends before its next passage and leaves the model usable', async () => {
    const controller = new AbortController();
    const passages = Array.from({ length: 200 }, () => ({ headings: '', text: 'cat leave '.repeat(200) }));
    const call = embedder.embedPassages(passages, controller.signal);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await expect(embedder.embedQuery('leave', controller.signal)).rejects.toThrow('enough');
    expect(rounded(await embedder.embedQuery('leave', signal))).toEqual([0.707, 0, 0.707]);
  });

  test('a passage gets the prefix of the model before its headings', async () => {
    const prefixed = await openEmbedder({ name: 'toy', passagePrefix: 'leave ' });
    const [passage] = await prefixed.embedPassages([{ headings: 'dog', text: 'cat' }], signal);
    expect(rounded(passage?.vector)).toEqual([0.577, 0.577, 0.577]);
  });

  test('a query gets the prefix of the model', async () => {
    expect(rounded(await embedder.embedQuery('leave', signal))).toEqual([0.707, 0, 0.707]);
    expect(rounded(await embedder.embedQuery('cat '.repeat(40), signal))[0]).toBeGreaterThan(0);
  });
});

describe('token windows', () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

  test('contain every token once, and repeat the prefix', () => {
    const windows = tokenWindows([100, 101], upTo(25), 10);
    expect(windows.map(({ tokens }) => tokens.length)).toEqual([10, 10, 10, 3]);
    expect(windows.map(({ weight }) => weight)).toEqual([8, 8, 8, 1]);
    expect(windows.every(({ tokens }) => tokens[0] === 100 && tokens[1] === 101)).toBe(true);
    expect(windows.flatMap(({ tokens }) => tokens.slice(2))).toEqual(upTo(25));
  });

  test('treat a prefix as text when it would take more than half of a window', () => {
    const windows = tokenWindows(upTo(30), [100], 10);
    expect(windows.flatMap(({ tokens }) => tokens)).toEqual([...upTo(30), 100]);
    expect(windows.every(({ tokens }) => tokens.length <= 10)).toBe(true);
  });

  test('of an empty text are one empty window', () => {
    expect(tokenWindows([], [], 10)).toEqual([{ tokens: [], weight: 1 }]);
  });

  test('are combined by weight into a vector of length 1', () => {
    const vector = weightedMean([
      { vector: Float32Array.of(1, 0), weight: 3 },
      { vector: Float32Array.of(0, 1), weight: 4 },
    ]);
    expect(rounded(vector)).toEqual([0.6, 0.8]);
  });
});

describe('a model folder', () => {
  test('without a description holds the default model, with its thresholds of evidence', async () => {
    const model = await readModelFolder(await createModelFolder());
    expect(model).toMatchObject({
      maxTokens: 256,
      pooling: 'mean',
      queryPrefix: '',
      evidence: { strong: 0.42, weak: 0.15, chance: 0.01, spread: 0.15 },
    });
    expect(model?.name).toMatch(/^all-MiniLM-L6-v2-int8@[0-9a-f]{8}$/);
  });

  test('that describes another model has thresholds only if the description has them; the old one is ignored', async () => {
    expect((await openEmbedder({ name: 'toy', relevantFrom: 1.1 })).evidence).toBeUndefined();
    const evidence = { strong: 0.5, weak: 0.2 };
    expect((await openEmbedder({ name: 'toy', evidence })).evidence).toEqual({
      ...evidence,
      chance: 0.01,
      spread: 0.15,
    });
  });

  test('changes its model name exactly when its vectors change', async () => {
    const dir = await createModelFolder({ name: 'toy' });
    const nameOf = async () => (await readModelFolder(dir))?.name;
    const name = await nameOf();
    await writeFile(
      join(dir, 'alfred-model.json'),
      JSON.stringify({ name: 'toy', evidence: { strong: 0.5, weak: 0.2 } }),
    );
    expect(await nameOf()).toBe(name);
    await writeFile(join(dir, 'alfred-model.json'), JSON.stringify({ name: 'toy', maxTokens: 512 }));
    const longer = await nameOf();
    expect(longer).not.toBe(name);
    await writeFile(join(dir, 'tokenizer.json'), toyTokenizer(['cat', 'dog', 'leave']));
    expect(await nameOf()).not.toBe(longer);
  });

  test('with an invalid description is refused, and the error names the fault', async () => {
    const dir = await createModelFolder({ name: 'toy', pooling: 'max' });
    await expect(readModelFolder(dir)).rejects.toThrow(/alfred-model\.json does not describe a model.*pooling/s);
  });

  test('without its files has no model', async () => {
    const dir = await createModelFolder();
    await rm(join(dir, 'tokenizer.json'));
    expect(await readModelFolder(dir)).toBeUndefined();
  });
});
