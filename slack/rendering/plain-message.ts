import { proseEnd } from './cut.ts';
import { maxSection } from './limits.ts';
import type { SlackMessage } from './slack-message.ts';

/** The message with its Markdown as plain text: for when Slack refuses its blocks. No word of the answer is lost. */
export function plainMessage({ text, blocks }: SlackMessage): SlackMessage {
  const markdown = blocks.flatMap((block) => (block.type === 'markdown' ? [block.text] : []));
  return { text, blocks: markdown.flatMap(piecesOf).map((piece) => plainSection(piece)) };
}

function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = Math.max(proseEnd(text, start, maxSection), start + 1);
    pieces.push(text.slice(start, end));
    start = end;
  }
  // Slack refuses a section without a visible character.
  return pieces.filter((piece) => piece.trim() !== '');
}

const plainSection = (text: string) => ({ type: 'section' as const, text: { type: 'plain_text' as const, text } });
