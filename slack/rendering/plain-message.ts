import type { types } from '@slack/bolt';
import { piecesOf, proseEnd } from './cut.ts';
import { maxSection } from './limits.ts';
import type { SlackMessage } from './slack-message.ts';

/** The message with its Markdown as plain text: for when Slack refuses its blocks. No word of the answer is lost. */
export function plainMessage({ text, blocks }: SlackMessage): SlackMessage {
  return { text, blocks: blocks.flatMap((block) => (block.type === 'markdown' ? plainSections(block.text) : [])) };
}

/** The same with what people can press, and with what they have to read before. */
export const plainMessageWithButtons = ({ text, blocks }: SlackMessage): SlackMessage => ({
  text,
  blocks: blocks.flatMap((block): types.KnownBlock[] => {
    if (block.type === 'markdown') return plainSections(block.text);
    if (block.type === 'rich_text') return plainSections(block.elements.flatMap(preformattedIn).join('\n'));
    const isKept = block.type === 'section' || block.type === 'actions' || block.type === 'context_actions';
    return isKept ? [block] : [];
  }),
});

/** Slack refuses a section without a visible character. */
const plainSections = (text: string): types.SectionBlock[] =>
  piecesOf(text, (start) => proseEnd(text, start, maxSection))
    .filter((piece) => piece.trim() !== '')
    .map((piece) => ({ type: 'section', text: { type: 'plain_text', text: piece, emoji: false } }));

const preformattedIn = (element: types.RichTextBlock['elements'][number]): string[] =>
  element.type === 'rich_text_preformatted'
    ? element.elements.flatMap((part) => (part.type === 'text' ? [part.text] : []))
    : [];
