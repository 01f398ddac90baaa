import type { JsonValue } from '../../../contract/json.ts';
import { characterBoundary } from '../../../contract/rules/character-boundary.ts';
import {
  isSlice,
  passageListOf,
  slicePassage,
  slicePassages,
  outputText,
  type FoundPassage,
  type Slice,
} from '../../../contract/rules/tool-output.ts';

/**
 * What the model reads of a tool's output: the output itself when its JSON fits, else as much of it as does, and how to
 * read on. Whole passages stay whole; a first one that is too long alone is cut. What is a slice already becomes a
 * shorter one.
 *
 * @param maxCharacters of the JSON; not less than about 300, which the words about the rest take
 * @returns `output` itself when nothing is left out
 */
export function referenceTo(output: JsonValue, callId: string, maxCharacters: number): JsonValue {
  if (JSON.stringify(output).length <= maxCharacters) return output;
  if (isSlice(output)) return shorterSlice(output, maxCharacters);
  const passages = passageListOf(output);
  return (passages && somePassages(output, passages, callId, maxCharacters)) ?? head(output, callId, maxCharacters);
}

/** The tool that returned it goes on from where this one ends. */
function shorterSlice(output: Slice, room: number): JsonValue {
  const text = outputText(output);
  const passages = passageListOf(output);
  const shown = (length: number): JsonValue => {
    const end = characterBoundary(text, length);
    const part = passages ? { passages: slicePassages(passages, 0, end) } : { text: text.slice(0, end) };
    return { ...output, ...part, nextStart: output.start + end };
  };
  return shown(largest(text.length - 1, (length) => JSON.stringify(shown(length)).length <= room));
}

function somePassages(output: JsonValue, passages: FoundPassage[], callId: string, room: number) {
  const shown = (kept: FoundPassage[]): JsonValue => ({
    ...(output as Record<string, JsonValue>),
    passages: kept,
    omittedPassages: passages.length - kept.length,
    readMore: readMore(
      callId,
      kept.reduce((sum, { text }) => sum + text.length, 0),
    ),
  });
  const fits = (kept: FoundPassage[]) => JSON.stringify(shown(kept)).length <= room;
  const count = largest(passages.length - 1, (n) => fits(passages.slice(0, n)));
  if (count > 0) return shown(passages.slice(0, count));
  const [first] = passages;
  if (!first) return undefined;
  const length = largest(first.text.length, (n) => fits([slicePassage(first, 0, n)]));
  return length > 0 ? shown([slicePassage(first, 0, length)]) : undefined;
}

function head(output: JsonValue, callId: string, room: number): JsonValue {
  const text = outputText(output);
  const shown = (length: number): JsonValue => {
    const end = characterBoundary(text, length);
    return { head: text.slice(0, end), characters: text.length, readMore: readMore(callId, end) };
  };
  return shown(largest(text.length, (length) => JSON.stringify(shown(length)).length <= room));
}

const readMore = (callId: string, start: number) =>
  `This is not all. To read on call read_result with callId ${JSON.stringify(callId)} and start ${start}.`;

/** The largest whole number up to `max` for which `holds`, or 0; when it holds for one it holds for all below. */
function largest(max: number, holds: (n: number) => boolean): number {
  let [low, high] = [0, max];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
