import type { types } from '@slack/bolt';
import type { Citation } from '../../contract/task.ts';
import { oneLine } from './cut.ts';
import { formatPlace } from './format.ts';
import { maxContextElements } from './limits.ts';
import { context, escapeMrkdwn, mrkdwnLink } from './mrkdwn.ts';
import type { SlackLinks } from './slack-message.ts';

/** Shown below an answer that cites nothing although its agent answers from documents. */
export const notGrounded = 'This answer cites no document: nothing shows that it is right.';

/** Numbered sources: the place of each as a link, and the passage below it. */
export function citationBlocks(
  citations: Citation[],
  { document }: Pick<SlackLinks, 'document'>,
): types.ContextBlock[] {
  const quoteLength = citations.length > 5 ? 150 : 250;
  const lines = citations.map((citation) => {
    const place = oneLine(formatPlace(citation), 150);
    const quote = oneLine(citation.quote, quoteLength);
    return `*[${citation.n}]* ${mrkdwnLink(document?.(citation), place)}\n“${escapeMrkdwn(quote)}”`;
  });
  const blocks: types.ContextBlock[] = [];
  for (let at = 0; at < lines.length; at += maxContextElements)
    blocks.push(context(lines.slice(at, at + maxContextElements)));
  return blocks;
}
