import { expect, test } from '@jest/globals';
import { shortenOutput } from '../../../adapters/postgres/messages/shorten-output.ts';
import { childOutcome } from '../../../activities/delegation/child-outcome.ts';
import type { TaskRow } from '../../../contract/ports/index.ts';
import type { CheckedCitation, TaskResult } from '../../../contract/task.ts';
import { passagesOf } from '../../../contract/rules/tool-output.ts';
import { passage } from '../../support/documents/passage.ts';

const row = (change: Partial<TaskRow>) =>
  ({ agent: 'left', status: 'completed', result: null, error: null, ...change }) as TaskRow;
const result = (text: string): TaskResult => ({ text, citations: [] });
const cited = (n: number, text: string, quote: string): CheckedCitation => {
  const { score: _score, text: _text, ...place } = passage(`chunk-${n}`, text);
  const start = place.start + text.indexOf(quote);
  return {
    ...place,
    n,
    quote,
    start,
    end: start + quote.length,
    passage: { text, start: place.start, end: place.end },
    state: 'unchanged',
    now: null,
  };
};

test('an answer comes with the whole passages that it cites', () => {
  const text = 'Keep your receipts. You have 30 days.';
  const { output, isError } = childOutcome(
    row({ result: result('30 days [3].') }),
    [cited(3, text, 'You have 30 days.')],
    10_000,
  );
  expect(isError).toBe(false);
  expect(output).toMatchObject({
    agent: 'left',
    status: 'completed',
    answer: '30 days [3].',
    citedAs: { 'chunk-3': 3 },
  });
  expect(passagesOf(output)).toMatchObject([{ chunkId: 'chunk-3', text, start: 100 }]);
});

test('where there is no room, the passages keep what is around their quotations', () => {
  const text = `${'a'.repeat(4_000)} You have 30 days. ${'b'.repeat(4_000)}`;
  const citations = [1, 2, 3].map((n) => cited(n, text, 'You have 30 days.'));
  const { output } = childOutcome(row({ result: result('[1] [2] [3]') }), citations, 8_000);
  expect(JSON.stringify(output).length).toBeLessThanOrEqual(8_000);
  const passages = passagesOf(output) ?? [];
  expect(passages).toHaveLength(3);
  for (const { text: shown, start, end } of passages) {
    expect(shown).toContain('You have 30 days.');
    expect(text.slice(start - 100, end - 100)).toBe(shown);
  }
});

test('an end without an answer says so, with its code', () => {
  const error = { code: 'model_rejected', message: 'No such model.' } as const;
  expect(childOutcome(row({ status: 'failed', error }), [], 10_000)).toMatchObject({
    isError: true,
    output: { agent: 'left', status: 'failed', code: 'model_rejected', error: 'No such model.' },
  });
  expect(childOutcome(row({ status: 'cancelled' }), [], 10_000)).toMatchObject({ isError: true });
  expect(childOutcome(row({ status: 'incomplete', result: result('Half.') }), [], 10_000)).toMatchObject({
    isError: false,
    output: { status: 'incomplete', answer: 'Half.' },
  });
});

test('a long answer is stored whole, for the model to read on', () => {
  const text = `${'word '.repeat(4_000)}[3]`;
  const { output } = childOutcome(row({ result: result(text) }), [cited(3, 'You have 30 days.', '30 days')], 8_000);
  expect(output).toMatchObject({ answer: text, citedAs: { 'chunk-3': 3 } });
  const shown = shortenOutput(output, 'c1', 8_000) as { answer: string; readMore: string };
  expect(JSON.stringify(shown).length).toBeLessThanOrEqual(8_000);
  expect(text.startsWith(shown.answer)).toBe(true);
  expect(shown.readMore).toContain(`start ${shown.answer.length}`);
});

test('data that is too long to stand beside the answer is read with it', () => {
  const data = { rows: Array.from({ length: 900 }, (_, n) => `row ${n}`) };
  const { output } = childOutcome(row({ result: { ...result('900 rows.'), data } }), [], 8_000);
  expect(output).toMatchObject({ answer: `900 rows.\n${JSON.stringify(data)}` });
  expect(output).not.toHaveProperty('data');
});
