import { expect, test } from '@jest/globals';
import { questionIn } from '../../../activities/model/question-in.ts';
import type { AssistantPart } from '../../../contract/messages.ts';

const ask = (args: object): AssistantPart => ({
  type: 'tool_call',
  callId: 'c',
  tool: 'ask_person',
  arguments: args as never,
});
const tools = ['ask_person'];

test('a question takes the place of its call, and is the answer of the task', () => {
  const thinking: AssistantPart = { type: 'opaque', provider: 'p', value: 'x' };
  expect(questionIn([thinking, ask({ question: 'Which state?' })], tools)).toEqual({
    parts: [thinking, { type: 'text', text: 'Which state?' }],
    result: { text: 'Which state?', citations: [], asks: {} },
  });
});

test('a question beside other calls, of another agent or with wrong arguments is a call as any other', () => {
  const other: AssistantPart = { type: 'tool_call', callId: 'd', tool: 'look', arguments: {} };
  expect(questionIn([ask({ question: 'Which?' }), other], tools)).toBeUndefined();
  expect(questionIn([ask({ question: 'Which?' })], [])).toBeUndefined();
  expect(questionIn([ask({ choices: ['A'] })], tools)).toBeUndefined();
  expect(questionIn([{ type: 'text', text: 'Hello.' }], tools)).toBeUndefined();
});
