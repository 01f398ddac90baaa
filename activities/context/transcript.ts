import type { Message } from '../../contract/ports/index.ts';

/**
 * A conversation as one text, for a model whose window is too small for the messages themselves. When it is longer than
 * `maxBytes` its longest parts are cut, so that something of every part is left.
 */
export function transcriptOf(messages: Message[], maxBytes: number): string {
  const parts = messages.flatMap(partsOf);
  const all = parts.map(({ text }) => text).join('');
  const room =
    (maxBytes * all.length) / Math.max(1, Buffer.byteLength(all)) -
    parts.reduce((sum, { label }) => sum + label.length + 40, 0);
  const longest = longestPart(
    parts.map(({ text }) => text.length),
    room,
  );
  const lines = parts.map(({ label, text }) => {
    const left = text.length - longest;
    return `${label}: ${left > 0 ? `${text.slice(0, longest).toWellFormed()} … (${left} characters left out)` : text}`;
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
          ? [{ label: `Assistant calls ${part.tool}`, text: JSON.stringify(part.arguments) }]
          : [];
      });
    case 'tool':
      return message.results.map(({ tool, output }) => ({
        label: `Result of ${tool}`,
        text: typeof output === 'string' ? output : JSON.stringify(output),
      }));
    case 'compaction':
      return message.summary === undefined ? [] : [{ label: 'Summary of what was before', text: message.summary }];
  }
}

/** The length to cut parts to so that all of them together take no more than `room`; Infinity when they fit as they are. */
function longestPart(lengths: number[], room: number): number {
  let left = Math.max(0, room);
  for (const [i, length] of lengths.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(left / (lengths.length - i));
    if (length > share) return share;
    left -= length;
  }
  return Infinity;
}
