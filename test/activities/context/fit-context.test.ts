import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import { passageNumbersOf, numberPassages } from '../../../activities/context/citations.ts';
import { applyCompaction, planFit, type Fitted } from '../../../activities/context/fit-context.ts';
import {
  boundTokens,
  bytesOf,
  estimateChainTokens,
  estimateMessageTokens,
} from '../../../activities/context/context-size.ts';
import type { MessageStore, Message } from '../../../contract/ports/index.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { StoredMessage } from '../../../contract/messages.ts';
import { droppedOutput } from '../../../contract/rules/tool-output.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { passage } from '../../support/documents/passage.ts';
import { local, sha256 } from '../../support/documents/put-document.ts';

let env: TestEnvironment;
let messageStore: MessageStore;
beforeAll(async () => {
  env = await createTestEnvironment();
  messageStore = createMessageStore(env.postgres.db);
});
afterAll(() => env?.close());

/** A step of a conversation: words of a person, or words of the model with the outputs of the tools it calls. */
type Step = { ask: string; because?: 'output_invalid' } | { say: string; outputs?: JsonValue[] };

async function chainOf(steps: Step[], parent: string | null = null): Promise<string> {
  let calls = 0;
  const add = async (message: StoredMessage) => (parent = await messageStore.append(local, parent, message));
  for (const step of steps) {
    if ('ask' in step) {
      await add({ role: 'user', text: step.ask, ...(step.because ? { because: step.because } : {}) });
      continue;
    }
    const ids = step.outputs?.map(() => `${parent?.slice(0, 6)}-${calls++}`) ?? [];
    await add({
      role: 'assistant',
      parts: [
        { type: 'text', text: step.say },
        ...ids.map((callId) => ({ type: 'tool_call' as const, callId, tool: 'look', arguments: {} })),
      ],
    });
    if (!step.outputs) continue;
    const hashes = await Promise.all(step.outputs.map(stored));
    const results = hashes.map((result, i) => ({ callId: ids[i] ?? '', tool: 'look', result, isError: false }));
    await add({ role: 'tool', results });
  }
  return parent ?? '';
}

async function stored(output: JsonValue): Promise<string> {
  const text = JSON.stringify(output);
  const statement =
    'insert into contents (tenant, subject, hash, bytes) values ($1, $2, $3, $4) on conflict do nothing';
  await env.postgres.pool.query(statement, [local.tenant, local.subject, sha256(text), Buffer.from(text)]);
  return sha256(text);
}

const counted = (head: string, tokens: number, by = 'scripted:x') =>
  env.postgres.pool.query('update messages set context_tokens = $2, counted_by = $3 where hash = $1', [
    head,
    tokens,
    by,
  ]);

const overheadBytes = 400;
const outputTokens = 200;
/** A window of so many tokens for what goes in. */
const facts = (window: number) => ({ name: 'scripted:x', contextTokens: window + outputTokens });
const unasked = () => Promise.reject(new Error('a summary was not needed'));
const fitting = async (
  head: string,
  window: number,
  summarise: (messages: Message[], maxTokens: number) => Promise<string> = unasked,
  force = false,
) => {
  const request = { task: local, head, facts: facts(window), outputTokens, overheadBytes, force };
  const plan = await planFit(messageStore, request);
  if ('fitted' in plan) return plan.fitted;
  const { toSummarise } = plan.compaction;
  const summary = toSummarise && (await summarise(toSummarise.messages, toSummarise.maxTokens));
  return applyCompaction(messageStore, request, plan.compaction, summary);
};
const words = (tokens: number) => 'word'.repeat(tokens);
const outputsOf = (messages: Message[]) =>
  messages.flatMap((message) => (message.role === 'tool' ? message.results.map(({ output }) => output) : []));

describe('the size of a conversation', () => {
  const messages: Message[] = [
    { role: 'user', text: 'a'.repeat(400) },
    { role: 'assistant', parts: [{ type: 'text', text: 'b'.repeat(80) }] },
    { role: 'user', text: 'ü'.repeat(20) },
  ];

  test('is estimated by what a model counted and a quarter of the bytes since then', () => {
    expect(estimateChainTokens({ messages }, 400)).toBe(100 + 100 + 20 + 10);
    expect(estimateChainTokens({ messages, counted: { index: 1, tokens: 700, by: 'other:y' } }, 400)).toBe(710);
  });

  test('is bounded by a count of the same model and every byte since then, and by every byte for another model', () => {
    const known = { messages, counted: { index: 1, tokens: 700, by: 'scripted:x' } };
    expect(boundTokens(known, 'scripted:x', 400)).toBe(700 + 40 + 2 * 32);
    expect(boundTokens(known, 'other:y', 400)).toBeGreaterThan(400 + 400 + 80 + 40);
  });

  test('has room for what search results take beyond their passages’ JSON, a frame for each sentence', () => {
    const results = [
      { callId: 'c', tool: 'look', output: { passages: [passage('a', 'One. Two.\nThree.')] } as never, isError: false },
    ];
    const found: Message = { role: 'tool', results };
    const bound = (isCiting: boolean) => boundTokens({ messages: [found] }, 'scripted:x', 400, isCiting);
    expect(bound(true) - bound(false)).toBeGreaterThan((1 + 3) * 32);
    expect(bound(true) - bound(false)).toBeLessThan((1 + 3) * 32 + 200);
  });

  test('leaves room for the tool that reads on once there is something to read', () => {
    const more: Message = {
      role: 'tool',
      results: [{ callId: 'c', tool: 'look', output: droppedOutput('c'), isError: false }],
    };
    const known = { index: 1, tokens: 700, by: 'scripted:x' };
    const bound = (all: Message[]) => boundTokens({ messages: all, counted: known }, 'scripted:x', 400);
    expect(bound([...messages, more]) - bound(messages)).toBeGreaterThan(bytesOf(more) + 1_000);
  });
});

test('a conversation with room to spare goes to the model as it is', async () => {
  const head = await chainOf([{ ask: 'Q' }, { say: 'look', outputs: ['x'.repeat(400)] }]);
  const fitted = await fitting(head, 1_000);
  expect(fitted).toMatchObject({ head, compacted: [] });
  expect(fitted.conversation).toEqual(await messageStore.load(local, head));
});

test('the oldest tool results go first, as many as it takes to come down to half of the window', async () => {
  const steps = Array.from({ length: 9 }, (_, i) => ({ say: `step ${i}`, outputs: [`${i}${words(400)}`] }));
  const head = await chainOf([{ ask: 'Q' }, ...steps]);
  const { conversation, compacted, head: next } = await fitting(head, 4_400);
  const outputs = outputsOf(conversation.messages);
  const gone = outputs.filter((output) => typeof output !== 'string').length;
  expect(outputs.slice(gone)).toEqual(steps.slice(gone).flatMap(({ outputs: all }) => all));
  expect(compacted).toMatchObject([{ method: 'drop_tool_results', dropped: gone }]);
  expect(compacted[0]?.tokensBefore).toBeGreaterThan(3_520);
  expect(compacted[0]?.tokensAfter).toBeLessThanOrEqual(2_200);
  expect(compacted[0]?.tokensAfter).toBeGreaterThan(1_800);
  // Nothing is lost, and the next call finds nothing to do.
  expect(outputsOf(await messageStore.loadAll(local, next))).toEqual(steps.flatMap(({ outputs: all }) => all));
  expect((await fitting(next, 4_400)).compacted).toEqual([]);
});

test('results that take little stay: reading them again would cost more', async () => {
  const small = Array.from({ length: 6 }, () => ({ say: 'a', outputs: ['small'] }));
  const large = { say: 'b', outputs: [words(700)] };
  const head = await chainOf([{ ask: 'Q' }, ...small, large, { say: 'c', outputs: ['newest'] }]);
  const { conversation } = await fitting(head, 1_000);
  expect(outputsOf(conversation.messages).filter((output) => output === 'small')).toHaveLength(6);
});

test('where that is not enough a summary stands for all but the questions and the newest messages', async () => {
  const steps = Array.from({ length: 20 }, (_, i) => ({ say: `${i} ${words(50)}`, outputs: [`result ${i}`] }));
  const head = await chainOf([{ ask: 'The question' }, ...steps]);
  const told: Message[][] = [];
  const { conversation, compacted } = await fitting(head, 1_600, (messages, maxTokens) => {
    told.push(messages);
    expect(maxTokens).toBe(200);
    return Promise.resolve('What was found so far.');
  });
  const [root, question, ...newest] = conversation.messages;
  expect(root).toMatchObject({ role: 'compaction', from: head, summary: 'What was found so far.' });
  expect(question).toEqual({ role: 'user', text: 'The question' });
  expect(newest[0]?.role).toBe('assistant');
  const all = (await messageStore.load(local, head)).messages;
  expect(newest).toEqual(all.slice(-newest.length));
  expect(estimateMessageTokens(newest)).toBeLessThanOrEqual(400);
  expect(estimateMessageTokens(newest)).toBeGreaterThan(330);
  // The summary is written from what the provider has in its cache: the very beginning of the request before.
  expect(told).toEqual([all.slice(0, all.length - newest.length)]);
  expect(compacted).toMatchObject([{ method: 'summary', dropped: all.length - newest.length - 1 }]);
});

test('a summary that is there already goes into the next one, and stays where only results are dropped', async () => {
  const talk = Array.from({ length: 12 }, (_, i) => ({ say: `${i}${words(170)}` }));
  const first = await fitting(await chainOf([{ ask: 'Q' }, ...talk]), 2_200, () => Promise.resolve('one'));
  const looked = Array.from({ length: 6 }, () => ({ say: 'look', outputs: [words(250)] }));
  const second = await fitting(await chainOf(looked, first.head), 2_200);
  expect(second.compacted[0]?.method).toBe('drop_tool_results');
  expect(second.conversation.messages[0]).toMatchObject({ summary: 'one' });
  const third = await fitting(await chainOf(talk.slice(0, 5), second.head), 2_200, (messages) => {
    expect(messages[0]).toMatchObject({ role: 'compaction', summary: 'one' });
    return Promise.resolve('two');
  });
  expect(third.conversation.messages[0]).toMatchObject({ summary: 'two' });
  expect(third.conversation.messages.filter(({ role }) => role === 'compaction')).toHaveLength(1);
});

test('the newest question stays word for word beside the first; what Alfred itself corrected does not', async () => {
  const talk = Array.from({ length: 10 }, () => ({ say: words(50) }));
  const steps: Step[] = [
    { ask: 'First' },
    ...talk,
    { ask: 'Wrong', because: 'output_invalid' },
    ...talk,
    { ask: 'Second' },
    ...talk,
  ];
  const { conversation } = await fitting(await chainOf(steps), 1_600, () => Promise.resolve('s'));
  const asked = conversation.messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));
  expect(asked).toEqual(['First', 'Second']);
});

test('a model with a small window summarises a long conversation from a transcript of all its parts', async () => {
  const talk = Array.from({ length: 30 }, (_, i) => ({ say: `point ${i} ${words(400)}`, outputs: [words(300)] }));
  const head = await chainOf([{ ask: 'Q' }, ...talk, { say: 'end' }]);
  const { estimatedTokens } = await fitting(head, 2_000, ([transcript, ...others]) => {
    expect(others).toEqual([]);
    if (transcript?.role !== 'user') throw new Error('no transcript');
    expect(estimateMessageTokens([transcript])).toBeLessThanOrEqual(1_600);
    for (let i = 0; i < 29; i++) expect(transcript.text).toContain(`Assistant: point ${i} `);
    return Promise.resolve('s');
  });
  expect(estimatedTokens).toBeLessThanOrEqual(1_000);
});

test('a summary longer than it may be is cut, so that it is not the next thing that does not fit', async () => {
  const talk = Array.from({ length: 30 }, () => ({ say: words(50) }));
  const head = await chainOf([{ ask: 'Q' }, ...talk]);
  const { estimatedTokens, conversation } = await fitting(head, 1_600, () => Promise.resolve('ü'.repeat(50_000)));
  expect(estimatedTokens).toBeLessThanOrEqual(800);
  expect(conversation.messages[0]).toMatchObject({
    summary: expect.stringMatching(/^ü+ … \(cut off here\)$/) as never,
  });
});

test('a model that counts more tokens than a quarter of the bytes has its conversation cut by its own count', async () => {
  const steps = Array.from({ length: 10 }, () => ({ say: 'a', outputs: [words(100)] }));
  const looked = await chainOf([{ ask: 'Q' }, ...steps]);
  const head = await chainOf([{ say: 'b' }], looked);
  await counted(head, 2_200);
  const { compacted, conversation } = await fitting(await chainOf([{ ask: 'on' }], head), 2_500);
  expect(compacted).toMatchObject([{ tokensBefore: 2_201 }]);
  expect(compacted[0]?.tokensAfter).toBeLessThanOrEqual(1_250);
  expect(estimateMessageTokens(conversation.messages)).toBeLessThan(700);
});

test('after a provider’s refusal it becomes half of what it is, again and again, until nothing can go', async () => {
  const steps = Array.from({ length: 16 }, (_, i) => ({ say: `${i}${words(20)}`, outputs: [words(120)] }));
  let head = await chainOf([{ ask: 'Q' }, ...steps]);
  const forced = () => fitting(head, 1_000_000, () => Promise.resolve('summary'), true);
  const rounds: Fitted[] = [];
  const ended = await (async () => {
    for (;;) rounds.push(await forced().then((fitted) => ((head = fitted.head), fitted)));
  })().catch((error: unknown) => error);
  expect(ended).toMatchObject({ code: 'model_context_overflow' });
  const [first, second, ...others] = rounds.flatMap(({ compacted }) => compacted);
  for (const round of [first, second])
    expect(round?.tokensAfter).toBeLessThanOrEqual((round?.tokensBefore ?? 0) / 2 + 1);
  for (const round of others) expect(round.tokensAfter).toBeLessThan(round.tokensBefore);
});

test('what cannot be made to fit is told with the numbers and what to do', async () => {
  const head = await chainOf([{ ask: 'Q' }, { say: 'look', outputs: [words(2_000)] }]);
  await expect(fitting(head, 1_000)).rejects.toThrow(
    /^The conversation takes about 21\d\d tokens and cannot be made shorter\. scripted:x has room for 1200, 200 of them for its answer: .*larger window\.$/,
  );
  await expect(fitting(head, -100)).rejects.toMatchObject({ code: 'model_context_overflow' });
});

test('a conversation that dropping results does not bring under the window overflows', async () => {
  const head = await chainOf([
    { ask: 'Q' },
    { say: 'a', outputs: [words(500)] },
    { say: 'b', outputs: [words(1_300)] },
  ]);
  await expect(fitting(head, 1_000)).rejects.toMatchObject({ code: 'model_context_overflow' });
});

test('a conversation that nothing can shorten goes as it is while it still fits', async () => {
  const head = await chainOf([{ ask: 'Q' }, { say: 'look', outputs: [words(800)] }]);
  expect(await fitting(head, 1_000)).toMatchObject({ head, compacted: [] });
});

describe('whatever was said', () => {
  const size = fc.integer({ min: 0, max: 900 });
  const output = fc.oneof(
    size.map(words),
    fc.record({ rows: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 40 }) }),
    fc
      .array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 })
      .map((chunks) => ({ passages: chunks.map((n) => passage(`chunk-${n}`, `${n} ${words(60)}`)) })),
  ) as fc.Arbitrary<JsonValue>;
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ say: fc.nat(40).map(words), outputs: fc.array(output, { minLength: 1, maxLength: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ say: size.map(words) }) },
    { weight: 1, arbitrary: fc.record({ ask: fc.nat(200).map((n) => `and ${words(n)}`) }) },
    { weight: 1, arbitrary: fc.constant<Step>({ ask: 'Not so.', because: 'output_invalid' }) },
  );
  const talk = fc.record({
    rounds: fc.array(
      fc.record({
        steps: fc.array(step, { minLength: 1, maxLength: 14 }),
        force: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
        /** How the model's count compares with a quarter of the bytes; 0: it has not counted. */
        density: fc.constantFrom(0, 0.5, 1, 2, 3.9),
        summary: fc.integer({ min: 0, max: 3_000 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    window: fc.integer({ min: 1_500, max: 8_000 }),
  });

  /** Every tool message answers all calls of the message before it, and every call is answered, but for the last. */
  function expectPaired(messages: Message[]) {
    for (const [i, message] of messages.entries()) {
      const calls =
        message.role === 'assistant'
          ? message.parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
          : [];
      const next = messages[i + 1];
      const answered = next?.role === 'tool' ? next.results.map(({ callId }) => callId) : [];
      expect(answered).toEqual(calls);
    }
  }
  const isQuestion = (message: Message) => message.role === 'user' && !message.because;
  /** Messages as they were said; a dropped result stands for any. */
  const same = (kept: Message, said: Message): boolean =>
    kept.role === 'tool' && said.role === 'tool'
      ? kept.results.length === said.results.length &&
        kept.results.every((result, i) => {
          const other = said.results[i];
          const dropped = JSON.stringify(result.output) === JSON.stringify(droppedOutput(result.callId));
          return result.callId === other?.callId && (dropped || JSON.stringify(result) === JSON.stringify(other));
        })
      : JSON.stringify(kept) === JSON.stringify(said);

  test('calls keep their results, questions and the newest result stay, it fits, [n] means the same, and a repeat comes to the same head', async () => {
    let [dropped, summarised, overflowed] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(talk, async ({ rounds, window }) => {
        let head: string | null = await chainOf([{ ask: 'The first question' }]);
        for (const { steps, force, density, summary } of rounds) {
          head = await chainOf([...steps, { say: 'next', outputs: ['newest'] }], head);
          const before = await messageStore.load(local, head);
          if (density > 0) {
            const index = before.messages.findLastIndex(({ role }) => role === 'assistant');
            const { rows } = await env.postgres.pool.query<{ parent: string }>(
              'select parent from messages where hash = $1',
              [head],
            );
            const rough = estimateMessageTokens(numberPassages(before.messages.slice(0, index + 1)), overheadBytes);
            await counted(rows[0]?.parent ?? '', Math.ceil(rough * density));
          }
          const said = numberPassages(await messageStore.loadAll(local, head));
          const summarise = (messages: Message[], maxTokens: number) => {
            expectPaired(messages);
            expect(maxTokens).toBeGreaterThan(0);
            expect(maxTokens).toBeLessThanOrEqual(window / 8);
            expect(estimateMessageTokens(messages, overheadBytes)).toBeLessThanOrEqual(window);
            return Promise.resolve(words(summary));
          };
          let fitted: Fitted;
          try {
            fitted = await fitting(head, window, summarise, force);
          } catch (error) {
            expect(error).toMatchObject({ code: 'model_context_overflow' });
            overflowed++;
            return;
          }
          const { conversation, compacted, estimatedTokens } = fitted;
          const kept = conversation.messages.filter(({ role }) => role !== 'compaction');

          expectPaired(kept);
          let at = 0;
          for (const message of kept) {
            while (at < said.length && !same(message, said[at] as Message)) at++;
            expect(at++).toBeLessThan(said.length);
          }
          expect(kept[0]).toEqual(said[0]);
          expect(kept.findLast(isQuestion)).toEqual(said.findLast(isQuestion));
          expect(kept.at(-1)).toEqual(said.at(-1));

          expect(estimatedTokens).toBeLessThanOrEqual(window);
          expect(fitted.boundTokens).toBeGreaterThanOrEqual(estimatedTokens);
          for (const { tokensBefore, tokensAfter } of compacted) expect(tokensAfter).toBeLessThanOrEqual(tokensBefore);
          if (force) expect(compacted).toHaveLength(1);

          const numbers = passageNumbersOf(said);
          for (const [chunk, n] of passageNumbersOf(conversation.messages)) expect(numbers.get(chunk)).toBe(n);
          expect(numberPassages(await messageStore.loadAll(local, fitted.head))).toEqual(said);
          expect((await fitting(head, window, summarise, force)).head).toBe(fitted.head);
          if (compacted[0] && compacted[0].tokensAfter <= window / 2)
            expect((await fitting(fitted.head, window)).compacted).toEqual([]);

          if (compacted[0]?.method === 'drop_tool_results') dropped++;
          if (compacted[0]?.method === 'summary') summarised++;
          head = fitted.head;
        }
      }),
      { numRuns: 40 },
    );
    expect(Math.min(dropped, summarised)).toBeGreaterThan(2);
    expect(overflowed).toBeLessThan(20);
  });

  test('a conversation overflows only when the questions and the last turn do not fit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 15 }),
        fc.integer({ min: 1_000, max: 6_000 }),
        async (steps, window) => {
          const head = await chainOf([{ ask: 'Q' }, ...steps, { say: 'next', outputs: ['newest'] }]);
          const { messages } = await messageStore.load(local, head);
          const least = estimateMessageTokens([...messages.filter(isQuestion), ...messages.slice(-2)], overheadBytes);
          const outcome = await fitting(head, window, () => Promise.resolve('s')).then(
            () => 'fits',
            (error: { code: string }) => error.code,
          );
          if (least <= window * 0.8) expect(outcome).toBe('fits');
        },
      ),
      { numRuns: 40 },
    );
  });
});
