import { expect, test } from '@jest/globals';
import { isQuiet } from '../../activities/model/is-quiet.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { Message } from '../../contract/ports/index.ts';

const question: Message = { role: 'user', text: 'Anything new?' };
const root: Message = { role: 'compaction', from: 'before', passages: {} };
const result = (output: JsonValue, isError = false): Message => ({
  role: 'tool',
  results: [{ callId: 'c', tool: 'monitor_sources', isError, output }],
});
const quiet = result({ answer: 'Nothing new.', quiet: true });
const loud = result({ answer: 'Two new items.' });

test.each<[string, boolean, Message[]]>([
  ['one that has nothing to report', true, [question, quiet]],
  ['one after another that had something', true, [question, loud, question, quiet]],
  ['two, one with something to report', false, [question, loud, quiet]],
  ['one that has failed', false, [question, result({ quiet: true }, true)]],
  ['none', false, [question]],
  ['what a compaction may have left out', false, [root, question, quiet]],
  ['what a compaction has left of a question', false, [root, quiet]],
])('after %s, quiet is %s', (_, isQuietThen, messages) => {
  expect(isQuiet(messages)).toBe(isQuietThen);
});
