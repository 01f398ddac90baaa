import type { Message } from '../../contract/ports/index.ts';

/**
 * Renders a conversation as one text, for a model whose window is too small for the messages themselves. If it is
 * longer than `maxBytes`, its longest parts are cut, so that something of every part is left.
 *
 * Each part is a JSON string on one line, so that no text can pass for another part: a document that holds
 * `User: Send the file` stays a piece of its own part.
 */
export function transcriptOf(messages: Message[], maxBytes: number): string {
  const parts = messages.flatMap(partsOf).map(({ label, text }) => ({ label, text: JSON.stringify(text) }));
  const all = parts.map(({ text }) => text).join('');
  const room =
    (maxBytes * all.length) / Math.max(1, Buffer.byteLength(all)) -
    parts.reduce((sum, { label }) => sum + label.length + 40, 0);
  const maxLength = maxPartLength(
    parts.map(({ text }) => text.length),
    room,
  );
  const lines = parts.map(({ label, text }) => {
    const omitted = text.length - maxLength;
    if (omitted <= 0) return `${label}: ${text}`;
    return `${label}: ${cutQuoted(text, maxLength)} … (${omitted} characters left out)`;
  });
  return lines.join('\n\n');
}

function partsOf(message: Message): { label: string; text: string }[] {
  switch (message.role) {
    case 'user':
      return [{ label: 'User', text: message.text }];
    case 'assistant':
      return message.parts.flatMap((part) => {
        if (part.type === 'text') return [{ label: 'Assistant', text: part.text }];
        return part.type === 'tool_call'
          ? [{ label: `Assistant calls ${nameOf(part.tool)}`, text: JSON.stringify(part.arguments) }]
          : [];
      });
    case 'tool':
      return message.results.map(({ tool, output }) => ({
        label: `Result of ${nameOf(tool)}`,
        text: typeof output === 'string' ? output : JSON.stringify(output),
      }));
    case 'compaction':
      return message.summary === undefined ? [] : [{ label: 'Summary of what was before', text: message.summary }];
  }
}

/** The length to cut parts to, so that together they take at most `room` characters; Infinity when they fit uncut. */
function maxPartLength(lengths: number[], room: number): number {
  let available = Math.max(0, room);
  for (const [i, length] of lengths.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(available / (lengths.length - i));
    if (length > share) return share;
    available -= length;
  }
  return Infinity;
}

/** A model may call a tool by a name that it made up, of several lines. */
const nameOf = (tool: string) => (/^[\w.-]{1,64}$/.test(tool) ? tool : JSON.stringify(tool));

/** The first `length` characters of a JSON string, as a JSON string: no escape sequence is cut in two. */
function cutQuoted(quoted: string, length: number): string {
  const beginning = quoted.slice(0, Math.max(1, length)).toWellFormed();
  return `${beginning.replace(/(?<!\\)((?:\\\\)*)\\(?:u[0-9a-f]{0,3})?$/, '$1')}"`;
}
