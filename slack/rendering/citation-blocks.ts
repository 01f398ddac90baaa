import type { types } from '@slack/bolt';
import type { Citation } from '../../contract/task.ts';
import { oneLine } from './cut.ts';
import { formatPlace } from '../../contract/rules/format.ts';
import { maxContext, maxContextElements } from './limits.ts';
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
  const groups: string[][] = [];
  for (const line of lines) {
    const group = groups.at(-1);
    const isFull = !group || group.length === maxContextElements || group.join('').length + line.length > maxContext;
    if (isFull) groups.push([line]);
    else group.push(line);
  }
  return groups.map(context);
}
