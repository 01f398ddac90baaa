/** Where a slice may end, in UTF-16 code units. The Markdown parser's time and memory grow faster than its input. */
const sliceCharacters = 32_000;

const fenceLine = /^ {0,3}(`{3,}|~{3,})/;

/**
 * Cuts Markdown between blocks: before a line that is not indented and follows an empty one, outside fenced code. All
 * slices together are the text.
 */
export function* markdownSlices(text: string): Generator<string> {
  let from = 0;
  let fence: string | undefined;
  let afterEmpty = false;
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf('\n', at) + 1 || text.length;
    if (afterEmpty && !fence && at - from >= sliceCharacters && /\S/.test(text.charAt(at))) {
      yield text.slice(from, at);
      from = at;
    }
    const line = text.slice(at, Math.min(lineEnd, at + 100));
    const mark = fenceLine.exec(line)?.[1];
    if (mark && !fence) fence = mark;
    else if (mark && fence && mark.startsWith(fence)) fence = undefined;
    afterEmpty = line.trim() === '' && lineEnd - at < 100;
    at = lineEnd;
  }
  yield text.slice(from);
}
