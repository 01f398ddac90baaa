import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { numberPassages, passageNumbersOf } from '../../../activities/context/citations.ts';
import { estimateMessageTokens } from '../../../activities/context/context-size.ts';
import type { Fitted } from '../../../activities/context/fit-context.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { droppedOutput } from '../../../contract/rules/tool-output.ts';
import { passage } from '../../support/documents/passage.ts';
import { local } from '../../support/documents/put-document.ts';
import { overheadBytes, useStoredChains, words, type Step } from './use-stored-chains.ts';

const chains = useStoredChains();

describe('for any conversation', () => {
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
  const conversationRounds = fc.record({
    rounds: fc.array(
      fc.record({
        steps: fc.array(step, { minLength: 1, maxLength: 14 }),
        force: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
        /** The model's count, as a multiple of the estimate; 0: no count. */
        density: fc.constantFrom(0, 0.5, 1, 2, 3.9),
        summary: fc.integer({ min: 0, max: 3_000 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    window: fc.integer({ min: 1_500, max: 8_000 }),
  });

  /** Every tool message has the results of all calls of the message before it, and every call has its result. */
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
  /** Whether a kept message is the original one; a dropped result equals any result. */
  const isSame = (kept: Message, original: Message): boolean =>
    kept.role === 'tool' && original.role === 'tool'
      ? kept.results.length === original.results.length &&
        kept.results.every((result, i) => {
          const other = original.results[i];
          const dropped = JSON.stringify(result.output) === JSON.stringify(droppedOutput(result.callId));
          return result.callId === other?.callId && (dropped || JSON.stringify(result) === JSON.stringify(other));
        })
      : JSON.stringify(kept) === JSON.stringify(original);

  test('calls keep their results, questions and the newest result stay, it fits, [n] stays the same, and a repeat returns the same head', async () => {
    let [dropped, summarised, overflowed] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(conversationRounds, async ({ rounds, window }) => {
        let head: string | null = await chains.chainOf([{ ask: 'The first question' }]);
        for (const { steps, force, density, summary } of rounds) {
          head = await chains.chainOf([...steps, { say: 'next', outputs: ['newest'] }], head);
          const before = await chains.messageStore.load(local, head);
          if (density > 0) {
            const index = before.messages.findLastIndex(({ role }) => role === 'assistant');
            const parent = await chains.parentOf(head);
            const estimate = estimateMessageTokens(numberPassages(before.messages.slice(0, index + 1)), overheadBytes);
            await chains.storeCount(parent, Math.ceil(estimate * density));
          }
          const original = numberPassages(await chains.messageStore.loadAll(local, head));
          const summarise = (messages: Message[], maxTokens: number) => {
            expectPaired(messages);
            expect(maxTokens).toBeGreaterThan(0);
            expect(maxTokens).toBeLessThanOrEqual(window / 8);
            expect(estimateMessageTokens(messages, overheadBytes)).toBeLessThanOrEqual(window);
            return Promise.resolve(words(summary));
          };
          let fitted: Fitted;
          try {
            fitted = await chains.fit(head, window, summarise, force);
          } catch (error) {
            expect(error).toMatchObject({ code: 'model_context_overflow' });
            overflowed++;
            return;
          }
          const { conversation, compacted, estimatedTokens } = fitted;
          const keptMessages = conversation.messages.filter(({ role }) => role !== 'compaction');

          expectPaired(keptMessages);
          let at = 0;
          for (const message of keptMessages) {
            while (at < original.length && !isSame(message, original[at] as Message)) at++;
            expect(at++).toBeLessThan(original.length);
          }
          expect(keptMessages[0]).toEqual(original[0]);
          expect(keptMessages.findLast(isQuestion)).toEqual(original.findLast(isQuestion));
          expect(keptMessages.at(-1)).toEqual(original.at(-1));

          expect(estimatedTokens).toBeLessThanOrEqual(window);
          expect(fitted.upperBoundTokens).toBeGreaterThanOrEqual(estimatedTokens);
          for (const { tokensBefore, tokensAfter } of compacted) expect(tokensAfter).toBeLessThanOrEqual(tokensBefore);
          if (force) expect(compacted).toHaveLength(1);

          const numbers = passageNumbersOf(original);
          for (const [chunk, n] of passageNumbersOf(conversation.messages)) expect(numbers.get(chunk)).toBe(n);
          expect(numberPassages(await chains.messageStore.loadAll(local, fitted.head))).toEqual(original);
          expect((await chains.fit(head, window, summarise, force)).head).toBe(fitted.head);
          if (compacted[0] && compacted[0].tokensAfter <= window / 2)
            expect((await chains.fit(fitted.head, window)).compacted).toEqual([]);

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
          const head = await chains.chainOf([{ ask: 'Q' }, ...steps, { say: 'next', outputs: ['newest'] }]);
          const { messages } = await chains.messageStore.load(local, head);
          const minTokens = estimateMessageTokens(
            [...messages.filter(isQuestion), ...messages.slice(-2)],
            overheadBytes,
          );
          const outcome = await chains
            .fit(head, window, () => Promise.resolve('s'))
            .then(
              () => 'fits',
              (error: { code: string }) => error.code,
            );
          if (minTokens <= window * 0.8) expect(outcome).toBe('fits');
        },
      ),
      { numRuns: 40 },
    );
  });
});
