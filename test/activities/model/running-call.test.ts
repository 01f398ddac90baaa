import { describe, expect, jest, test } from '@jest/globals';
import { RunningCall } from '../../../activities/model/running-call.ts';
import type { ModelEvent, ModelFacts } from '../../../contract/ports/index.ts';

const facts: ModelFacts = {
  name: 'scripted:x',
  price: { input: 1_000_000, cacheRead: 0, cacheWrite: 0, output: 2_000_000 },
  contextTokens: 200_000,
  maxOutputTokens: 8_192,
};

/** A call that was silent for some time, then sent these events and broke off. */
function brokenCall(silentMs: number, events: ModelEvent[]) {
  jest.useFakeTimers();
  try {
    const call = new RunningCall(facts, { estimatedTokens: 1_000, maxOutputTokens: 500 });
    jest.advanceTimersByTime(silentMs);
    for (const event of events) call.take(event);
    return call.record().usage;
  } finally {
    jest.useRealTimers();
  }
}

const counted = (inputTokens: number, outputTokens: number): ModelEvent => ({
  type: 'usage',
  usage: { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0 },
});

describe('a call that broke off is charged', () => {
  test('nothing when the provider refused the request', () => {
    expect(brokenCall(60_000, [])).toMatchObject({ inputTokens: 0, outputTokens: 0, costUsd: 0 });
  });

  test('the estimated input and the silent time when the provider counted nothing', () => {
    const usage = brokenCall(2_000, [{ type: 'uncounted' }]);
    expect(usage).toMatchObject({ inputTokens: 1_000, outputTokens: 200, costUsd: 1_400 });
  });

  test('at most the reserved output, however long it was silent', () => {
    expect(brokenCall(300_000, [{ type: 'uncounted' }]).outputTokens).toBe(500);
  });

  test('the input that the provider counted, and the text that came', () => {
    const text = '日本語の答え';
    const events: ModelEvent[] = [counted(900, 1), { type: 'text', text }, { type: 'uncounted' }];
    expect(brokenCall(0, events)).toMatchObject({ inputTokens: 900, outputTokens: 6 });
  });

  test('what the provider counted when the answer is whole', () => {
    const end: ModelEvent = { type: 'end', parts: [{ type: 'text', text: 'Yes.' }], stopReason: 'end' };
    expect(brokenCall(60_000, [counted(900, 7), end])).toMatchObject({ inputTokens: 900, outputTokens: 7 });
  });
});
