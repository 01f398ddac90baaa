/**
 * What to append to a stream.
 *
 * @param text  Markdown of the answer so far, as `TaskView.text`
 * @param shown the pieces that were appended, joined
 * @param limit characters of one piece
 * @returns an empty piece when nothing can be appended yet; undefined when the text shown is void
 */
export function nextPiece(text: string, shown: string, limit: number): { append: string } | undefined {
  if (!text.startsWith(shown)) return undefined;
  return { append: text.slice(shown.length, shown.length + limit) };
}
