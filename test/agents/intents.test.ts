import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { inputWithIntents, intent } from '../../agents/intents.ts';

const input = inputWithIntents(['count_words'], {
  WORD_COUNT: intent({
    tool: 'count_words',
    input: z.object({ words: z.string(), from: z.int().default(1) }),
    ask: ({ words, from }) => `How many words from ${from} on: ${words}`,
  }),
  WORD_LIST: intent({ tool: 'list_words', input: z.object({ list: z.string() }), ask: ({ list }) => `List ${list}` }),
});

test('words stay words, a typed request becomes a call of its tool with its defaults', () => {
  expect(input.parse({ text: ' Count! ' })).toEqual({ text: 'Count!' });
  expect(input.parse({ intent: 'WORD_COUNT', words: 'a b' })).toEqual({
    text: 'How many words from 1 on: a b',
    tool: { name: 'count_words', arguments: { words: 'a b', from: 1 } },
  });
});

test.each([
  ['neither form', {}, 'expected `text`, or `intent` with its fields: one of WORD_COUNT, WORD_LIST'],
  ['an unknown intent', { intent: 'TAX' }, 'intent: expected one of WORD_COUNT, WORD_LIST'],
  ['a wrong field', { intent: 'WORD_COUNT', words: 1 }, 'words: Invalid input: expected string, received number'],
  ['a missing field', { intent: 'WORD_LIST' }, 'list: Invalid input: expected string, received undefined'],
  ['both forms', { intent: 'WORD_LIST', list: 'x', text: 'y' }, 'Unrecognized key: "text"'],
  ['a field too many', { intent: 'WORD_LIST', list: 'x', more: 'y' }, 'Unrecognized key: "more"'],
  ['no object', 'Count!', 'expected `text`, or `intent` with its fields: one of WORD_COUNT, WORD_LIST'],
])('%s is refused with what was wrong', (_, value, message) => {
  expect(input.safeParse(value).error?.issues.map((issue) => issue.message)).toEqual([message]);
});

test('callers see every form as JSON Schema', () => {
  expect(z.toJSONSchema(input, { io: 'input' })).toMatchObject({
    anyOf: [
      { properties: { text: {} } },
      { properties: { intent: { const: 'WORD_COUNT' }, words: {} } },
      { properties: { intent: { const: 'WORD_LIST' } } },
    ],
  });
});
