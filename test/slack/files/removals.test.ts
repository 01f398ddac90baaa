import { expect, test } from '@jest/globals';
import { removalsIn } from '../../../slack/files/removals.ts';

const changed = (before: object, after: object) =>
  removalsIn({
    event: {
      type: 'message',
      subtype: 'message_changed',
      channel: 'C1',
      message: { ts: '1.0', ...after },
      previous_message: { ts: '1.0', ...before },
    },
  });
const files = (...ids: string[]) => ({ files: ids.map((id) => ({ id, mode: 'hosted' })) });

test.each([
  [{ type: 'message', subtype: 'message_deleted', channel: 'C1', deleted_ts: '1.0', ts: '2.0' }],
  [{ type: 'message', subtype: 'message_deleted', channel: 'C1', previous_message: { ts: '1.0' }, ts: '2.0' }],
])('a message that was deleted, of any person: %j', (event) => {
  expect(removalsIn({ event })).toEqual([{ channel: 'C1', ts: '1.0' }]);
});

test('a message with replies stays as a line', () => {
  expect(changed({ text: 'a' }, { subtype: 'tombstone' })).toEqual([{ channel: 'C1', ts: '1.0' }]);
});

test('a file that was deleted, and one that was taken out of a message', () => {
  expect(removalsIn({ event: { type: 'file_deleted', file_id: 'F1' } })).toEqual([{ fileId: 'F1' }]);
  expect(changed(files('F1', 'F2'), { files: [{ id: 'F1', mode: 'tombstone' }, { id: 'F2' }] })).toEqual([
    { fileId: 'F1' },
  ]);
  expect(changed(files('F1', 'F2'), files('F2'))).toEqual([{ channel: 'C1', ts: '1.0', fileIds: ['F1'] }]);
});

test('what deletes nothing', () => {
  expect(changed({ text: 'a', ...files('F1') }, { text: 'b', ...files('F1') })).toEqual([]);
  expect(changed({ text: 'a', ...files('F1') }, { text: 'b' })).toEqual([]);
  expect(removalsIn({ event: { type: 'message', channel: 'C1', ts: '1.0', ...files('F1') } })).toEqual([]);
  expect(removalsIn({ event: { type: 'reaction_added' } })).toEqual([]);
  expect(removalsIn({})).toEqual([]);
});
