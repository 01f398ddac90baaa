import { expect, test } from '@jest/globals';
import { z } from 'zod';
import type { AgentInput } from '../../../agents/agent.ts';
import { readAsked } from '../../../slack/asking/read-asked.ts';

const text = z.strictObject({ text: z.string().trim().min(1) });
const typed = z.strictObject({ order: z.string() }).transform(({ order }): AgentInput => ({
  text: `Order ${order}`,
  tool: { name: 'read_order', arguments: { order } },
}));
const read = (input: z.ZodType<AgentInput>, written: string) => readAsked('orders', { input }, written);
const asked = { text: 'Order A-1', tool: { name: 'read_order', arguments: { order: 'A-1' } } };

test('a text stays a text, also one that is JSON, for an agent that takes texts', () => {
  expect(read(text, 'What is {"a": 1}?')).toEqual({ text: 'What is {"a": 1}?' });
  expect(read(text, '{"a": 1}')).toEqual({ text: '{"a": 1}' });
});

test('fields that fit are read, also with the quotation marks that Slack makes', () => {
  expect(read(typed, '{"order": "A-1"}')).toEqual(asked);
  expect(read(typed, '{“order”: “A-1”}')).toEqual(asked);
  expect(read(z.union([text, typed]), '{"order": "A-1"}')).toEqual(asked);
  expect(read(z.union([text, typed]), 'What of A-1?')).toEqual({ text: 'What of A-1?' });
});

test('who writes something else to an agent that takes fields reads what it takes', () => {
  expect(() => read(typed, 'What of A-1?')).toThrow(/The agent orders takes fields, as JSON, and no text/);
  expect(() => read(typed, '{"order": 1}')).toThrow(/does not take these fields: order: .*string/);
});
