import { isRecord } from '../../contract/json.ts';
import type { SlackRemoval } from '../../contract/ports/index.ts';

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** By id, whether Slack still shows it. */
const filesOf = ({ files }: Record<string, unknown>): Map<string, { isShown: boolean }> =>
  new Map(
    (Array.isArray(files) ? files : [])
      .map(record)
      .map((file) => [text(file.id), { isShown: file.mode !== 'tombstone' }] as const)
      .filter(([id]) => id !== ''),
  );

/**
 * What an event says was deleted, by any person: Slack may not say whose message it was.
 *
 * A file that is deleted becomes a tombstone in its message. One that is taken out of a message is in no list of it any
 * more, and may be in others.
 */
export function removalsIn(body: { event?: unknown }): SlackRemoval[] {
  const event = record(body.event);
  if (event.type === 'file_deleted') return text(event.file_id) ? [{ fileId: text(event.file_id) }] : [];
  if (event.type !== 'message') return [];
  const [before, after] = [record(event.previous_message), record(event.message)];
  const channel = text(event.channel);
  const ts = text(after.ts) || text(before.ts) || text(event.deleted_ts);
  if (!channel || !ts) return [];
  if (event.subtype === 'message_deleted') return [{ channel, ts }];
  if (event.subtype !== 'message_changed') return [];
  // A message with replies that is deleted stays as a line that says so.
  if (after.subtype === 'tombstone') return [{ channel, ts }];
  const left = filesOf(after);
  // An edit of the words that leaves the list of files out says nothing about them.
  const saysFiles = Array.isArray(after.files) || after.text === before.text;
  const takenOut = saysFiles ? [...filesOf(before).keys()].filter((id) => !left.has(id)) : [];
  return [
    ...[...left].flatMap(([fileId, { isShown }]) => (isShown ? [] : [{ fileId }])),
    ...(takenOut.length > 0 ? [{ channel, ts, fileIds: takenOut }] : []),
  ];
}
