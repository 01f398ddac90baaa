/**
 * A slice ends at the first possible place after this length, in UTF-16 code
 * units. The Markdown parser's time and memory grow faster than its input.
 */
const sliceCharacters = 32_000;

const fenceLine = /^ {0,3}(`{3,}|~{3,})/;

/**
 * Cuts Markdown between blocks: before an unindented line that follows an empty one, outside fenced code. The slices
 * together are the whole text.
 */
export function* markdownSlices(text: string): Generator<string> {
  let from = 0;
  let fence: string | undefined;
  let afterEmpty = false;
  let at = 0;
  while (at < text.length) {
    const lineEnd = text.indexOf('\n', at) + 1 || text.length;
    if (afterEmpty && !fence && at - from >= sliceCharacters && /\S/.test(text.charAt(at))) {
      yield text.slice(from, at);
      from = at;
    }
    const line = text.slice(at, Math.min(lineEnd, at + 100));
    const marker = fenceLine.exec(line)?.[1];
    if (marker && !fence) fence = marker;
    else if (marker && fence && marker.startsWith(fence)) fence = undefined;
    afterEmpty = line.trim() === '' && lineEnd - at < 100;
    at = lineEnd;
  }
  yield text.slice(from);
}
