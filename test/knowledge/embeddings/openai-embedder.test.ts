import { afterEach, describe, expect, test } from '@jest/globals';
import { createOpenAiEmbedder } from '../../../knowledge/embeddings/openai-embedder.ts';
import { startWireServer, type Reply, type WireServer } from '../../support/fakes/wire-server.ts';

const opened: WireServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

/** A text's vector counts three words, so it shows what the text says. */
const words = ['dog', 'cat', 'leave'];
const vectorOf = (text: string) => words.map((word) => text.split(word).length - 1);
const replyOf = (vectors: unknown[]): Reply => ({
  status: 200,
  json: { object: 'list', data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })) },
});
const inputOf = (body: string) => (JSON.parse(body) as { input: string[] }).input;

async function open(reply: (input: string[]) => Reply, queryTimeoutMs?: number) {
  const server = await startWireServer((_, body) => reply(inputOf(body)));
  opened.push(server);
  const timeout = queryTimeoutMs === undefined ? {} : { queryTimeoutMs };
  const embedder = createOpenAiEmbedder({ model: 'toy', apiKey: undefined, baseUrl: `${server.url}/v1`, ...timeout });
  return { embedder, inputs: () => server.bodies.map(inputOf) };
}
const signal = AbortSignal.timeout(30_000);
const rounded = (vectors: Float32Array[]) => vectors.map((vector) => [...vector].map((x) => Number(x.toFixed(2))));
const plain = (text: string) => ({ headings: '', text });

/** How servers refuse a text that is longer than their model allows. */
const refusals: [string, Reply][] = [
  [
    'vLLM',
    {
      status: 400,
      json: { error: { message: 'This model’s maximum context length is 512 tokens.', type: 'BadRequestError' } },
    },
  ],
  ['TEI', { status: 413, json: { error: { message: 'Input validation error: must have less than 512 tokens' } } }],
  [
    'llama.cpp',
    { status: 500, json: { error: { message: 'input is too large to process. increase the physical batch size' } } },
  ],
];

describe('an embeddings server', () => {
  test.each(refusals)(
    'that refuses a long text as %s does gets the text in parts and the other texts whole',
    async (_, refusal) => {
      const { embedder, inputs } = await open((input) =>
        input.some((text) => text.length > 512) ? refusal : replyOf(input.map(vectorOf)),
      );
      const long = `${'cat '.repeat(200)}${'leave '.repeat(134)}`;
      const vectors = await embedder.embedPassages(
        [plain('a dog'), { headings: 'dog', text: long }, plain('leave')],
        signal,
      );
      const [dog = 0, cat = 0, leave = 0] = vectors[1]?.vector ?? [];
      expect(rounded([vectors[0]!.vector, vectors[2]!.vector])).toEqual([
        [1, 0, 0],
        [0, 0, 1],
      ]);
      // All parts of the text count, each with its headings. The headings count little.
      expect(cat).toBeGreaterThan(0.6);
      expect(leave).toBeGreaterThan(0.6);
      expect(dog).toBeGreaterThan(0);
      expect(dog).toBeLessThan(0.1);
      const accepted = inputs()
        .flat()
        .filter((text) => text.length <= 512 && text.startsWith('dog\n'));
      expect(accepted.map((text) => text.slice('dog\n'.length)).join('')).toBe(long);
    },
  );

  test('with a smaller batch limit gets smaller batches', async () => {
    const { embedder } = await open((input) =>
      input.length > 8
        ? { status: 422, json: { error: { message: 'batch size 32 > maximum allowed batch size 8' } } }
        : replyOf(input.map(vectorOf)),
    );
    const texts = Array.from({ length: 40 }, (_, i) => plain(words[i % 3] ?? ''));
    const expected = Array.from({ length: 40 }, (_, i) => words.map((_, axis) => Number(axis === i % 3)));
    const vectors = await embedder.embedPassages(texts, signal);
    expect(rounded(vectors.map(({ vector }) => vector))).toEqual(expected);
  });

  test('that refuses every request gets only a few', async () => {
    const { embedder, inputs } = await open(() => ({ status: 400, json: { error: { message: 'unknown parameter' } } }));
    const texts = Array.from({ length: 32 }, () => plain('cat '.repeat(300)));
    await expect(embedder.embedPassages(texts, signal)).rejects.toMatchObject({ code: 'model_rejected' });
    expect(inputs().length).toBeLessThan(12);
  });

  test('that lacks the model, limits requests or is unavailable gets one request', async () => {
    for (const [status, code] of [
      [404, 'model_denied'],
      [429, 'model_rate_limited'],
      [503, 'model_unavailable'],
    ] as const) {
      const { embedder, inputs } = await open(() => ({ status, json: { error: { message: 'no' } } }));
      await expect(embedder.embedPassages([plain('a'), plain('b')], signal)).rejects.toMatchObject({ code });
      expect(inputs()).toHaveLength(1);
    }
  });

  test.each([
    ['nothing but zeros', [0, 0, 0]],
    ['no numbers', [null, 1, 2]],
    ['nothing', []],
  ])('that answers %s instead of a vector is an error', async (_, vector) => {
    const { embedder } = await open((input) => replyOf(input.map(() => vector)));
    await expect(embedder.embedQuery('cat', signal)).rejects.toMatchObject({ code: 'model_output_invalid' });
  });

  test('that does not answer delays a query until its timeout only', async () => {
    const { embedder } = await open(() => ({ frames: ['{'], wire: { stallAfter: 0 } }), 50);
    await expect(embedder.embedQuery('cat', signal)).rejects.toMatchObject({ code: 'model_unavailable' });
  });
});
