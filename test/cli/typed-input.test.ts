import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { askForInput, readField, readLine } from '../../cli/client/typed-input.ts';
import type { ApiClient } from '../../cli/client/api-client.ts';
import { until } from '../support/until.ts';

const order = {
  type: 'object',
  properties: {
    order: { type: 'string', description: 'Its number' },
    refund: { type: 'number' },
    reason: { enum: ['broken', 'late'] },
  },
  required: ['order', 'reason'],
};
const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const apiOf = (inputSchema: object) =>
  ({ call: async () => ({ agents: [{ name: 'orders', inputSchema }] }) }) as unknown as ApiClient;

/** Answers each question as soon as it is asked. */
async function fillIn(schema: object, answers: [question: RegExp, answer: string][]) {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  output.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const result = askForInput(apiOf(schema), 'orders', { input, output });
  for (const [question, answer] of answers) {
    await until(`the question ${question}`, () => question.test(shown));
    shown = '';
    input.write(`${answer}\n`);
  }
  return result;
}

test('a person is asked for each field, and again for what does not fit', async () => {
  const input = await fillIn(order, [
    [/order \(Its number\): /, ''],
    [/order \(Its number\): /, 'A-1'],
    [/refund \(may be left empty\): /, 'ten'],
    [/refund/, '10'],
    [/reason \(one of broken, late\): /, 'late'],
  ]);
  expect(input).toEqual({ order: 'A-1', refund: 10, reason: 'late' });
});

test('an agent that takes one of several is asked for with a number, its text left out', async () => {
  const other = { type: 'object', properties: { month: { type: 'integer' } }, required: ['month'] };
  const input = await fillIn({ anyOf: [text, order, other] }, [
    [/1 {2}order, refund, reason\n {2}2 {2}month\n> /, '2'],
    [/month: /, '4'],
  ]);
  expect(input).toEqual({ month: 4 });
});

test('no person is asked for an agent that takes a text only, or that is not there', async () => {
  expect(await askForInput(apiOf(text), 'orders')).toBeUndefined();
  expect(await askForInput(apiOf(order), 'others')).toBeUndefined();
});

test.each([
  ['7', { type: 'integer' }, 7],
  ['7.5', { type: 'integer' }, undefined],
  ['yes', { type: 'boolean' }, true],
  ['no', { type: 'boolean' }, false],
  ['maybe', { type: 'boolean' }, undefined],
  ['[1]', { type: 'array' }, [1]],
  ['2', { enum: [1, 2] }, 2],
])('%s is read by the type of its field', (written, field, value) => {
  expect(readField(written, field)).toEqual(value);
});

test('a line of a conversation is fields only for an agent that takes fields', async () => {
  const fields = '{"order": "A-1"}';
  expect(await readLine(apiOf(order), 'orders', fields)).toEqual({ input: { order: 'A-1' } });
  expect(await readLine(apiOf({ anyOf: [text, order] }), 'orders', fields)).toEqual({ input: { order: 'A-1' } });
  expect(await readLine(apiOf(text), 'orders', fields)).toEqual({ text: fields });
  for (const line of ['What?', '{ not JSON', '[1]'])
    expect(await readLine(apiOf(order), 'orders', line)).toEqual({ text: line });
});
