import { expect, test } from '@jest/globals';
import { estimateMessageTokens } from '../../../activities/context/context-size.ts';
import type { Fitted } from '../../../activities/context/fit-context.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { local } from '../../support/documents/put-document.ts';
import { useStoredChains, words, type Step } from './use-stored-chains.ts';

const chains = useStoredChains();

const outputsOf = (messages: Message[]) =>
  messages.flatMap((message) => (message.role === 'tool' ? message.results.map(({ output }) => output) : []));

test('a conversation that leaves enough room goes to the model unchanged', async () => {
  const head = await chains.chainOf([{ ask: 'Q' }, { say: 'look', outputs: ['x'.repeat(400)] }]);
  const fitted = await chains.fit(head, 1_000);
  expect(fitted).toMatchObject({ head, compacted: [] });
  expect(fitted.conversation).toEqual(await chains.messageStore.load(local, head));
});

test('the oldest tool results are dropped first, until half of the window is left', async () => {
  const steps = Array.from({ length: 9 }, (_, i) => ({ say: `step ${i}`, outputs: [`${i}${words(400)}`] }));
  const head = await chains.chainOf([{ ask: 'Q' }, ...steps]);
  const { conversation, compacted, head: next } = await chains.fit(head, 4_400);
  const outputs = outputsOf(conversation.messages);
  const droppedCount = outputs.filter((output) => typeof output !== 'string').length;
  expect(outputs.slice(droppedCount)).toEqual(steps.slice(droppedCount).flatMap(({ outputs: all }) => all));
  expect(compacted).toMatchObject([{ method: 'drop_tool_results', dropped: droppedCount }]);
  expect(compacted[0]?.tokensBefore).toBeGreaterThan(3_520);
  expect(compacted[0]?.tokensAfter).toBeLessThanOrEqual(2_200);
  expect(compacted[0]?.tokensAfter).toBeGreaterThan(1_800);
  // Nothing is lost, and the next call has nothing to drop.
  expect(outputsOf(await chains.messageStore.loadAll(local, next))).toEqual(steps.flatMap(({ outputs: all }) => all));
  expect((await chains.fit(next, 4_400)).compacted).toEqual([]);
});

test('small results stay, because reading them again would cost more', async () => {
  const small = Array.from({ length: 6 }, () => ({ say: 'a', outputs: ['small'] }));
  const large = { say: 'b', outputs: [words(700)] };
  const head = await chains.chainOf([{ ask: 'Q' }, ...small, large, { say: 'c', outputs: ['newest'] }]);
  const { conversation } = await chains.fit(head, 1_000);
  expect(outputsOf(conversation.messages).filter((output) => output === 'small')).toHaveLength(6);
});

test('if that is not enough, a summary replaces all but the questions and the newest messages', async () => {
  const steps = Array.from({ length: 20 }, (_, i) => ({ say: `${i} ${words(50)}`, outputs: [`result ${i}`] }));
  const head = await chains.chainOf([{ ask: 'The question' }, ...steps]);
  const summarised: Message[][] = [];
  const { conversation, compacted } = await chains.fit(head, 1_600, (messages, maxTokens) => {
    summarised.push(messages);
    expect(maxTokens).toBe(200);
    return Promise.resolve('What was found so far.');
  });
  const [root, question, ...newest] = conversation.messages;
  expect(root).toMatchObject({ role: 'compaction', from: head, summary: 'What was found so far.' });
  expect(question).toEqual({ role: 'user', text: 'The question' });
  expect(newest[0]?.role).toBe('assistant');
  const all = (await chains.messageStore.load(local, head)).messages;
  expect(newest).toEqual(all.slice(-newest.length));
  expect(estimateMessageTokens(newest)).toBeLessThanOrEqual(400);
  expect(estimateMessageTokens(newest)).toBeGreaterThan(330);
  // The summary is written from the beginning of the previous request, which the provider has in its cache.
  expect(summarised).toEqual([all.slice(0, all.length - newest.length)]);
  expect(compacted).toMatchObject([{ method: 'summary', dropped: all.length - newest.length - 1 }]);
});

test('an earlier summary becomes part of the next one, and stays if only results are dropped', async () => {
  const turns = Array.from({ length: 12 }, (_, i) => ({ say: `${i}${words(170)}` }));
  const first = await chains.fit(await chains.chainOf([{ ask: 'Q' }, ...turns]), 2_200, () => Promise.resolve('one'));
  const looked = Array.from({ length: 6 }, () => ({ say: 'look', outputs: [words(250)] }));
  const second = await chains.fit(await chains.chainOf(looked, first.head), 2_200);
  expect(second.compacted[0]?.method).toBe('drop_tool_results');
  expect(second.conversation.messages[0]).toMatchObject({ summary: 'one' });
  const third = await chains.fit(await chains.chainOf(turns.slice(0, 5), second.head), 2_200, (messages) => {
    expect(messages[0]).toMatchObject({ role: 'compaction', summary: 'one' });
    return Promise.resolve('two');
  });
  expect(third.conversation.messages[0]).toMatchObject({ summary: 'two' });
  expect(third.conversation.messages.filter(({ role }) => role === 'compaction')).toHaveLength(1);
});

test('the first and the newest question stay unchanged; a correction by Alfred does not', async () => {
  const turns = Array.from({ length: 10 }, () => ({ say: words(50) }));
  const steps: Step[] = [
    { ask: 'First' },
    ...turns,
    { ask: 'Wrong', because: 'output_invalid' },
    ...turns,
    { ask: 'Second' },
    ...turns,
  ];
  const { conversation } = await chains.fit(await chains.chainOf(steps), 1_600, () => Promise.resolve('s'));
  const userTexts = conversation.messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));
  expect(userTexts).toEqual(['First', 'Second']);
});

test('a model with a small window summarises a long conversation from a transcript of all its parts', async () => {
  const turns = Array.from({ length: 30 }, (_, i) => ({ say: `point ${i} ${words(400)}`, outputs: [words(300)] }));
  const head = await chains.chainOf([{ ask: 'Q' }, ...turns, { say: 'end' }]);
  const { estimatedTokens } = await chains.fit(head, 2_000, ([transcript, ...others]) => {
    expect(others).toEqual([]);
    if (transcript?.role !== 'user') throw new Error('no transcript');
    expect(estimateMessageTokens([transcript])).toBeLessThanOrEqual(1_600);
    for (let i = 0; i < 29; i++) expect(transcript.text).toContain(`Assistant: "point ${i} `);
    return Promise.resolve('s');
  });
  expect(estimatedTokens).toBeLessThanOrEqual(1_000);
});

test('a summary that is too long is cut, so that it does not overflow the window itself', async () => {
  const turns = Array.from({ length: 30 }, () => ({ say: words(50) }));
  const head = await chains.chainOf([{ ask: 'Q' }, ...turns]);
  const { estimatedTokens, conversation } = await chains.fit(head, 1_600, () => Promise.resolve('ü'.repeat(50_000)));
  expect(estimatedTokens).toBeLessThanOrEqual(800);
  expect(conversation.messages[0]).toMatchObject({
    summary: expect.stringMatching(/^ü+ … \(cut off here\)$/) as never,
  });
});

test('a conversation is shortened by the model’s own count if that is higher than the estimate', async () => {
  const steps = Array.from({ length: 10 }, () => ({ say: 'a', outputs: [words(100)] }));
  const looked = await chains.chainOf([{ ask: 'Q' }, ...steps]);
  const head = await chains.chainOf([{ say: 'b' }], looked);
  await chains.storeCount(head, 2_200);
  const { compacted, conversation } = await chains.fit(await chains.chainOf([{ ask: 'on' }], head), 2_500);
  expect(compacted).toMatchObject([{ tokensBefore: 2_201 }]);
  expect(compacted[0]?.tokensAfter).toBeLessThanOrEqual(1_250);
  expect(estimateMessageTokens(conversation.messages)).toBeLessThan(700);
});

test('after each refusal by the provider the conversation is halved, until nothing can be dropped', async () => {
  const steps = Array.from({ length: 16 }, (_, i) => ({ say: `${i}${words(20)}`, outputs: [words(120)] }));
  let head = await chains.chainOf([{ ask: 'Q' }, ...steps]);
  const forced = () => chains.fit(head, 1_000_000, () => Promise.resolve('summary'), true);
  const rounds: Fitted[] = [];
  const failure = await (async () => {
    while (true) {
      const fitted = await forced();
      head = fitted.head;
      rounds.push(fitted);
    }
  })().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'model_context_overflow' });
  const [first, second, ...others] = rounds.flatMap(({ compacted }) => compacted);
  for (const round of [first, second])
    expect(round?.tokensAfter).toBeLessThanOrEqual((round?.tokensBefore ?? 0) / 2 + 1);
  for (const round of others) expect(round.tokensAfter).toBeLessThan(round.tokensBefore);
});

test('the error for a conversation that cannot fit has the numbers and says what to do', async () => {
  const head = await chains.chainOf([{ ask: 'Q' }, { say: 'look', outputs: [words(2_000)] }]);
  await expect(chains.fit(head, 1_000)).rejects.toThrow(
    /^The conversation takes about 21\d\d tokens and cannot be made shorter\. scripted:x has room for 1200, 200 of them for its answer: .*larger window\.$/,
  );
  await expect(chains.fit(head, -100)).rejects.toMatchObject({ code: 'model_context_overflow' });
  // The provider refused what would fit the window that we know: that window is wrong.
  const short = await chains.chainOf([{ ask: 'Q' }]);
  await expect(chains.fit(short, 1_000_000, () => Promise.resolve('summary'), true)).rejects.toThrow(
    /^The provider of scripted:x refused the conversation as too long, and it cannot be made shorter\. .* window of scripted:x is taken as 1000200: name its real window as contextTokens in ALFRED_MODELS/,
  );
});

test('a conversation that dropping results does not bring under the window overflows', async () => {
  const head = await chains.chainOf([
    { ask: 'Q' },
    { say: 'a', outputs: [words(500)] },
    { say: 'b', outputs: [words(1_300)] },
  ]);
  await expect(chains.fit(head, 1_000)).rejects.toMatchObject({ code: 'model_context_overflow' });
});

test('a conversation that cannot be shortened goes unchanged while it still fits', async () => {
  const head = await chains.chainOf([{ ask: 'Q' }, { say: 'look', outputs: [words(800)] }]);
  expect(await chains.fit(head, 1_000)).toMatchObject({ head, compacted: [] });
});
