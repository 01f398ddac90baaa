import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Script } from '../../../adapters/models/script.ts';
import { createScriptedProvider } from '../../../adapters/models/scripted.ts';
import { completeResponse, collectResponse, requestOf } from '../../support/providers/collect-response.ts';

const request = (idempotencyKey: string) => requestOf({ model: 'any', idempotencyKey });
const scripted = (script: Script) => createScriptedProvider({ script });
const textAt = async (script: Script, key: string) => (await completeResponse(scripted(script), request(key))).text;

describe('the turn', () => {
  const script: Script = {
    turns: [{ text: 'one' }, { text: 'again at {{step}}', repeat: 3 }, { text: 'last' }],
    summary: { text: 'what was said' },
  };

  test('is selected by the step, in every attempt and task', async () => {
    const keys = ['a/1', 'a/2', 'a/3', 'a/4', 'a/5', 'b/1', 'a/1'];
    const texts = await Promise.all(keys.map((key) => textAt(script, key)));
    expect(texts).toEqual(['one', 'again at 2', 'again at 3', 'again at 4', 'last', 'one', 'one']);
  });

  test('of a summary is the same at every step, with a default', async () => {
    expect(await textAt(script, 'a/3/summary')).toBe('what was said');
    expect(await textAt({ turns: [{ text: 'x' }] }, 'a/9/summary')).not.toBe('');
  });

  test.each(['a/6', 'a/0'])('%s does not exist, which is final', async (key) => {
    const { error } = await collectResponse(scripted(script), request(key));
    expect(error).toMatchObject({ code: 'model_rejected', message: expect.stringContaining('The script has no turn') });
  });

  test('requires a step in the key', async () => {
    const { error } = await collectResponse(scripted(script), request('no step'));
    expect(error).toMatchObject({ code: 'model_rejected', message: expect.stringContaining('"no step"') });
  });
});

test('repeated calls differ by their step and have different ids', async () => {
  const script: Script = {
    turns: [
      { calls: [{ tool: 'look', arguments: { at: 'place {{step}}', in: [{ x: '{{step}}' }], n: 1 } }], repeat: 2 },
    ],
  };
  const ends = await Promise.all(
    ['a/1', 'a/2'].map(async (key) => (await completeResponse(scripted(script), request(key))).end),
  );
  expect(ends).toMatchObject([
    { stopReason: 'tools', parts: [{ arguments: { at: 'place 1', in: [{ x: '1' }], n: 1 } }] },
    { stopReason: 'tools', parts: [{ arguments: { at: 'place 2', in: [{ x: '2' }], n: 1 } }] },
  ]);
  const ids = ends.flatMap(({ parts }) => parts.map((part) => (part.type === 'tool_call' ? part.callId : '')));
  expect(new Set(ids).size).toBe(2);
});

test('an error follows the text, with its message and retry delay', async () => {
  const error = { code: 'model_rate_limited', message: 'slow down', retryAfterMs: 1_500 } as const;
  const response = await collectResponse(scripted({ turns: [{ text: 'so far', error }] }), request('a/1'));
  expect(response.text).toBe('so far');
  expect(response.usage?.outputTokens).toBeGreaterThan(0);
  expect(response.error).toMatchObject(error);
});

test('with a latency the same text is streamed word by word', async () => {
  const text = 'Many words  that\ncome one by one.';
  const { pieces } = await completeResponse(scripted({ turns: [{ text, tokensPerS: 50_000 }] }), request('a/1'));
  expect(pieces).toHaveLength(7);
  expect(pieces.join('')).toBe(text);
});

test('tokens that the script does not set are estimated, at least one', async () => {
  const turns: Script['turns'] = [{ text: 'x'.repeat(400) }, {}, { text: 'x', usage: { inputTokens: 200_000 } }];
  const usages = await Promise.all(
    [1, 2, 3].map(async (n) => (await completeResponse(scripted({ turns }), request(`a/${n}`))).usage),
  );
  expect(usages[0]?.outputTokens).toBeGreaterThanOrEqual(100);
  expect(usages[1]?.outputTokens).toBeGreaterThan(0);
  expect(usages[2]).toMatchObject({ inputTokens: 200_000, cacheReadTokens: 0 });
});

describe('a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alfred-script-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const fileOf = async (content: string) => {
    const file = join(folder, `${Math.random().toString(36).slice(2)}.json`);
    await writeFile(file, content);
    return file;
  };

  test('is read once, when the provider is created', async () => {
    const file = await fileOf('{"turns": [{"text": "from a file"}]}');
    const provider = createScriptedProvider({ file });
    await rm(file);
    expect((await completeResponse(provider, request('a/1'))).text).toBe('from a file');
  });

  test.each([
    ['{"turns": []}', /turns: /],
    ['{"turns": [{"text": "x"}, {"calls": [{"arguments": {}}]}]}', /turns\[1\]\.calls\[0\]\.tool: /],
    ['{"turns": [{"texts": "x"}]}', /turns\[0\]: .*texts/],
    ['{"turns": [{"error": {"code": "no_such_code"}}]}', /turns\[0\]\.error\.code: /],
    ['{"turns": [', /JSON/],
  ])('%s is refused with the path of the problem', async (content, message) => {
    const file = await fileOf(content);
    expect(() => createScriptedProvider({ file })).toThrow(message);
    expect(() => createScriptedProvider({ file })).toThrow(file);
  });

  test('that does not exist is named', () => {
    const file = join(folder, 'missing.json');
    expect(() => createScriptedProvider({ file })).toThrow(file);
  });
});
