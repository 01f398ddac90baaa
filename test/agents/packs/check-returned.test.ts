import { expect, test } from '@jest/globals';
import { checkChecked, checkOutcome, checkReconciled, checkUndone } from '../../../agents/packs/check-returned.ts';

const reads = { name: 'read_order' };
const acts = { name: 'refund', effect: 'write' as const };
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

test('an outcome is taken as it is, without what is not part of it', () => {
  expect(checkOutcome(reads, { output: { a: [1] }, summary: 'read', event: { type: 'task.failed' } })).toEqual({
    output: { a: [1] },
    summary: 'read',
  });
  expect(checkOutcome(reads, { output: 1, summary: 'x'.repeat(2_000) }).summary).toHaveLength(501);
});

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /read_order returned cannot be read: the value: /],
  ['no summary', { output: 1 }, /summary: /],
  ['no output', { summary: 'done' }, /output: /],
  ['a date', { output: { at: new Date() }, summary: '' }, /output/],
  ['a value that refers to itself', { output: cyclic, summary: '' }, /refers to itself/],
  ['two megabytes', { output: 'x'.repeat(2_000_000), summary: '' }, /it has 2000002 characters, more than 1000000/],
])('%s of a tool that reads is an error that the model reads once', (_, returned, fault) => {
  expect(() => checkOutcome(reads, returned)).toThrow(
    expect.objectContaining({ code: 'destination_refused', fullMessage: expect.stringMatching(fault) }),
  );
});

test('a tool that has acted is done, whatever it returned', () => {
  const { output, summary } = checkOutcome(acts, { output: 'x'.repeat(2_000_000), summary: '' });
  expect(output).toEqual({ note: expect.stringMatching(/^refund has done what it was called for\. What it returned/) });
  expect(summary).toMatch(/^refund is done/);
  expect(checkReconciled(acts, { state: 'done' })).toMatchObject({
    state: 'done',
    output: { note: expect.anything() },
  });
});

test('what reconcile and undo return that is none of their answers says nothing', () => {
  expect(checkReconciled(acts, { state: 'not_done', more: 1 })).toEqual({ state: 'not_done' });
  for (const returned of [undefined, 'done', { state: 'finished' }])
    expect(checkReconciled(acts, returned)).toEqual({ state: 'unknown' });
  expect(checkUndone({ summary: 'Taken back' })).toEqual({ summary: 'Taken back' });
  for (const returned of [undefined, { summary: 7 }, { summary: ' ' }])
    expect(checkUndone(returned)).toEqual({ summary: 'Undone' });
});

test('a check that goes on after it returned is refused, and its later failure ends nothing', async () => {
  expect(() => checkChecked(reads, Promise.reject(new Error('late')))).toThrow(
    expect.objectContaining({ fullMessage: '`check` of the tool read_order is async, and it must return at once' }),
  );
  expect(checkChecked(reads, undefined)).toBeUndefined();
});
