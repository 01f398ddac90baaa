import { characterEnd } from './cut.ts';
import { settledStart } from './mentions.ts';
import { safeMarkdown } from './safe-markdown.ts';

/**
 * What to append to a stream. The last characters stay out while they may be the beginning of a mention.
 *
 * @param text  Markdown of the answer so far, as `TaskView.text`
 * @param shown the pieces that were appended, joined
 * @param limit characters of one piece
 * @returns an empty piece when nothing can be appended yet; undefined when the text shown is void
 */
export function nextPiece(text: string, shown: string, limit: number): { append: string } | undefined {
  const settled = safeMarkdown(settledStart(text));
  if (settled.startsWith(shown))
    return { append: settled.slice(shown.length, characterEnd(settled, shown.length, limit)) };
  return safeMarkdown(text).startsWith(shown) ? { append: '' } : undefined;
}
