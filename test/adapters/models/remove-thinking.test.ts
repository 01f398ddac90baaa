import { expect, test } from '@jest/globals';
import { ThinkingFilter, partsWithoutThinking } from '../../../adapters/models/remove-thinking.ts';

const filtered = (pieces: string[]) => {
  const filter = new ThinkingFilter();
  return pieces.map((piece) => filter.append(piece)).join('') + filter.finish();
};

test.each([
  ['<think>Passage [7] says so.</think>\n\nYes [1].', 'Yes [1].'],
  ['<thinking>Hm.</thinking>Yes.', 'Yes.'],
  ['\n <THINK>\nHm.\n</Think>\n Yes. ', 'Yes. '],
  ['<think></think><think>a </thinking> b</think> Yes.', 'Yes.'],
  ['<think>never closed [1]', ''],
  ['<thinking>a</think>', ''],
  ['<think>a</think>\n', ''],
  ['<thin', '<thin'],
  ['<thinker> is no tag.', '<thinker> is no tag.'],
  ['Use <think>…</think> for that.', 'Use <think>…</think> for that.'],
  ['  indented', '  indented'],
  ['  ', '  '],
  ['', ''],
])('%j becomes %j, however it is split', (text, answer) => {
  expect(filtered([text])).toBe(answer);
  expect(filtered([...text])).toBe(answer);
  for (let at = 1; at < text.length; at++) expect(filtered([text.slice(0, at), text.slice(at)])).toBe(answer);
});

test('thinking that spans several texts is removed from all of them, and other parts stay', () => {
  const call = { type: 'tool_call' as const, callId: 'c', tool: 'look', arguments: {} };
  expect(
    partsWithoutThinking([
      { type: 'text', text: '<think>a' },
      call,
      { type: 'text', text: 'b</think>' },
      { type: 'text', text: ' c' },
    ]),
  ).toEqual([call, { type: 'text', text: 'c' }]);
});
