import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { agents } from '../../agents/index.ts';
import { createOfflineProvider } from '../../adapters/models/offline.ts';
import { evaluateRouter } from '../../cli/eval/router.ts';
import { readRouterSet, type RouterSet } from '../../cli/eval/router-set.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ModelEvent, ModelProvider } from '../../contract/ports/index.ts';

const file = new URL('../evaluation/router.json', import.meta.url).pathname;
const options = { model: 'quote', atOnce: 4, onProgress: () => {} };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alfred-router-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const usage = { inputTokens: 90, outputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0 };
const calls = (...made: [tool: string, input: object][]): ModelEvent[] => [
  { type: 'usage', usage },
  {
    type: 'end',
    parts: made.map(([tool, input], n) => ({ type: 'tool_call', callId: `c${n}`, tool, arguments: input as never })),
    stopReason: 'tools',
  },
];
/** Answers each request with these events, one list a call. */
function scripted(...answers: (ModelEvent[] | AlfredError)[]): ModelProvider {
  return {
    name: 'scripted',
    async *stream() {
      const next = answers.shift();
      if (!next) throw new Error('the script has no further answer');
      if (next instanceof AlfredError) throw next;
      yield* next;
    },
    countTokens: async () => 0,
  };
}

const setOf = (...requests: [request: string, agents: string[]][]): RouterSet => ({
  agents: ['legal', 'financial', 'knowledge'].map((name) => ({ name, description: `Is ${name}.`, examples: [] })),
  asItself: ['knowledge'],
  requests: requests.map(([request, wanted]) => ({ request, agents: wanted, confusing: false, half: 'tuning' })),
});
const one = { ...options, atOnce: 1 };

describe('the evaluation of the router', () => {
  test('counts the agents of the first delegating step, in any order, also behind a plan', async () => {
    const provider = scripted(
      calls(['set_plan', { items: [] }]),
      calls(['delegate', { agent: 'legal', request: 'A' }], ['delegate', { agent: 'financial', request: 'B' }]),
      calls(['delegate', { agent: 'legal', request: 'A' }]),
    );
    const both = await evaluateRouter(provider, setOf(['X', ['financial', 'legal']], ['Y', ['financial']]), one);
    expect(both).toMatchObject([
      { chosen: ['financial', 'legal'], isRight: true, tokens: 200 },
      { chosen: ['legal'], isRight: false },
    ]);
  });

  test('to search, to answer and to delegate to who stands for itself are the same', async () => {
    const text: ModelEvent[] = [{ type: 'end', parts: [{ type: 'text', text: 'Hi.' }], stopReason: 'end' }];
    const provider = scripted(
      text,
      calls(['search_documents', { query: 'x' }]),
      calls(['delegate', { agent: 'knowledge', request: 'x' }]),
      calls(['delegate', { agent: 'knowledge', request: 'x' }], ['delegate', { agent: 'legal', request: 'x' }]),
    );
    const set = setOf(['1', []], ['2', ['knowledge']], ['3', []], ['4', []]);
    expect((await evaluateRouter(provider, set, one)).map(({ isRight }) => isRight)).toEqual([true, true, true, false]);
  });

  test('a call that fails makes its request wrong, says why, and the others go on', async () => {
    const provider = scripted(new AlfredError('model_rejected', 'No such model.'), calls(['delegate', {}]));
    expect(await evaluateRouter(provider, setOf(['1', ['legal']], ['2', ['legal']]), one)).toMatchObject([
      { isRight: false, failed: 'model_rejected: No such model.' },
      { isRight: false, chosen: ['(no agent)'] },
    ]);
  });

  test.each([
    ['{', 'is not JSON'],
    ['{"agents": [], "requests": []}', 'is no set of requests'],
    [JSON.stringify(setOf(['X', ['ghost']])), 'no agent "ghost"'],
  ])('a file with %s is refused with the reason', async (content, reason) => {
    const path = join(folder, 'set.json');
    await writeFile(path, content);
    await expect(readRouterSet(path)).rejects.toThrow(reason);
  });

  test('a file that is not there is named', async () => {
    await expect(readRouterSet(join(folder, 'none.json'))).rejects.toThrow('cannot be read: ENOENT');
  });
});

describe('the set of this repository', () => {
  test('has 200 different requests, half of them confusing, and describes the agents of the product as they are', async () => {
    const set = await readRouterSet(file);
    expect(new Set(set.requests.map(({ request }) => request)).size).toBe(set.requests.length);
    expect(set.requests.length).toBeGreaterThanOrEqual(200);
    expect(set.requests.filter(({ confusing }) => confusing).length).toBeGreaterThanOrEqual(100);
    for (const { name, description, examples } of set.agents) {
      const { [name]: agent } = agents;
      if (agent) expect({ name, description, examples }).toEqual({ name, ...pick(agent) });
    }
  });

  // The figures of the day are 90 % and 82 %.
  test('the rules without a model choose rightly for most of either half', async () => {
    const routings = await evaluateRouter(
      createOfflineProvider({ firstTokenMs: 0, tokensPerS: 0 }),
      await readRouterSet(file),
      options,
    );
    const shareOf = (half: string) => {
      const of = routings.filter((routing) => routing.half === half);
      return of.filter(({ isRight }) => isRight).length / of.length;
    };
    expect(shareOf('tuning')).toBeGreaterThanOrEqual(0.88);
    expect(shareOf('held_out')).toBeGreaterThanOrEqual(0.8);
  });
});

const pick = ({ description, examples }: { description: string; examples?: readonly string[] }) => ({
  description,
  examples,
});
