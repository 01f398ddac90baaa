import { expect, test } from '@jest/globals';
import { handOverIn } from '../../../activities/model/hand-over-in.ts';
import type { AssistantPart } from '../../../contract/messages.ts';

const heirs = ['assistant'];
const handOver = (args: object): AssistantPart => ({
  type: 'tool_call',
  callId: 'c1',
  tool: 'hand_over',
  arguments: args as never,
});
const asked = { agent: 'assistant', message: 'The assistant writes with you.' };

test('a handover becomes the answer, which names the agent, and takes the place of the call', () => {
  const text = 'The assistant writes with you.\n\nFrom your next message on, assistant answers here.';
  const thinking: AssistantPart = { type: 'opaque', provider: 'anthropic', value: {} };
  expect(handOverIn([thinking, { type: 'text', text: 'So.' }, handOver(asked)], heirs)).toEqual({
    parts: [thinking, { type: 'text', text }],
    result: { text, citations: [], handsOver: { agent: 'assistant' } },
  });
});

test('any other response hands nothing over: the call runs, and says what is wrong', () => {
  const other: AssistantPart = { type: 'tool_call', callId: 'c2', tool: 'set_plan', arguments: {} };
  expect(handOverIn([handOver(asked), other], heirs)).toBeUndefined();
  expect(handOverIn([handOver({ ...asked, agent: 'phantom' })], heirs)).toBeUndefined();
  expect(handOverIn([handOver({ agent: 'assistant' })], heirs)).toBeUndefined();
  expect(handOverIn([handOver(asked)], [])).toBeUndefined();
  expect(handOverIn([{ type: 'text', text: 'Hello.' }], heirs)).toBeUndefined();
});
