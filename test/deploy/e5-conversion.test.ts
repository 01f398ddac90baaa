import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createLocalEmbedder } from '../../knowledge/embeddings/local-embedder.ts';
import { readModelFolder } from '../../knowledge/embeddings/model-folder.ts';
import { convertE5 } from '../../deploy/local/downloads/e5/convert-e5.ts';
import { encode, randomEncoder, writeE5s1 } from '../support/files/toy-encoder.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((dir) => rm(dir, { recursive: true }))));

async function convert(file: Buffer) {
  const dir = await mkdtemp(join(tmpdir(), 'alfred-e5-'));
  folders.push(dir);
  await writeFile(join(dir, 'weights.bin'), file);
  await convertE5(join(dir, 'weights.bin'), dir);
  return dir;
}

/** The cosine of a vector and the sum of others. */
function cosineOf(vector: Float32Array | undefined, others: number[][]): number {
  const sum = others.reduce((all, other) => all.map((x, i) => x + (other[i] ?? 0)));
  const product = sum.reduce((all, x, i) => all + x * (vector?.[i] ?? 0), 0);
  return product / Math.hypot(...sum) / Math.hypot(...(vector ?? []));
}

describe('a model in the format E5S1', () => {
  test('gives the vectors of the encoder that its weights describe', async () => {
    const encoder = randomEncoder();
    const dir = await convert(writeE5s1(encoder));
    await writeFile(join(dir, 'alfred-model.json'), JSON.stringify({ name: 'toy', maxTokens: encoder.maxTokens }));
    const model = await readModelFolder(dir);
    if (!model) throw new Error('no model');
    const embedder = createLocalEmbedder(model);
    const passage = { headings: '', text: 'a dogs cat\n\nleave' };
    const [embedded] = await embedder.embedPassages([passage], AbortSignal.timeout(30_000));
    await embedder.close();
    const idOf = (piece: string) => encoder.pieces.findIndex(([other]) => other === piece);
    const vectors = encode(encoder, ['<s>', '▁a', '▁dog', 's', '▁cat', '▁leave', '</s>'].map(idOf));
    // Weights and what is multiplied by them are rounded to 8 bits.
    expect(cosineOf(embedded?.vector, vectors)).toBeGreaterThan(0.995);
    expect(cosineOf(embedded?.sentences?.[0], vectors.slice(1, 5))).toBeGreaterThan(0.995);
    expect(cosineOf(embedded?.sentences?.[1], vectors.slice(5, 6))).toBeGreaterThan(0.995);
    expect(cosineOf(embedded?.sentences?.[1], vectors.slice(1, 5))).toBeLessThan(0.99);
  });

  test('gives the same bytes each time, and the pieces of its tokenizer with their scores', async () => {
    const encoder = randomEncoder();
    const [one, other] = [await convert(writeE5s1(encoder)), await convert(writeE5s1(encoder))];
    for (const name of ['model.onnx', 'tokenizer.json'])
      expect(await readFile(join(one, name))).toEqual(await readFile(join(other, name)));
    const { model } = JSON.parse(await readFile(join(one, 'tokenizer.json'), 'utf8')) as { model: { vocab: unknown } };
    expect(model.vocab).toEqual(encoder.pieces);
  });

  test('is refused when it is another format, another version, or cut off', async () => {
    const file = writeE5s1(randomEncoder());
    const version = Buffer.from(file);
    version.writeUInt32LE(2, 4);
    await expect(convert(Buffer.from('GGUF and more'))).rejects.toThrow('not a file in the format E5S1');
    await expect(convert(version)).rejects.toThrow('version 2 of the format E5S1');
    await expect(convert(file.subarray(0, file.length / 2))).rejects.toThrow('the file ends before the tensor');
  });
});
