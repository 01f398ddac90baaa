import { isRecord, type JsonValue } from '../../../contract/json.ts';
import { characterBoundary } from '../../../contract/rules/character-boundary.ts';
import {
  agentAnswerOf,
  isSlice,
  passageListOf,
  partOfOutput,
  slicePassage,
  outputText,
  type FoundPassage,
  type Slice,
} from '../../../contract/rules/tool-output.ts';

/**
 * Shortens a tool's output for the model: the beginning, and how to read the rest. Passages are kept or left out as a
 * whole; only a first passage that is too long by itself is cut. An output that is a slice becomes a shorter slice.
 * The data of an answer is left out before the answer is cut.
 *
 * @param maxCharacters limit of the JSON text; at least about 300, which the hint about the rest needs
 * @returns `output` itself when its JSON fits
 */
export function shortenOutput(output: JsonValue, callId: string, maxCharacters: number): JsonValue {
  if (JSON.stringify(output).length <= maxCharacters) return output;
  const { data, ...rest } = isRecord(output) && typeof output.answer === 'string' ? output : {};
  if (data !== undefined) {
    // The answer says in words what its data says, and comes before it.
    const left = { ...rest, omittedData: JSON.stringify(data).length } as Record<string, JsonValue>;
    if (agentAnswerOf(left)) return shortenOutput(left, callId, maxCharacters);
    const whole = { ...left, readMore: readMore(callId, 0) };
    if (JSON.stringify(whole).length <= maxCharacters) return whole;
  }
  if (isSlice(output)) return shorterSlice(output, maxCharacters);
  if (agentAnswerOf(output)) return shorterAnswer(output, callId, maxCharacters);
  const passages = passageListOf(output);
  return (passages && firstPassages(output, passages, callId, maxCharacters)) ?? head(output, callId, maxCharacters);
}

/** A shorter slice. The model reads on with the tool that returned it, from `nextStart`. */
function shorterSlice(output: Slice, room: number): JsonValue {
  const text = outputText(output);
  const shown = (length: number): JsonValue => {
    const end = characterBoundary(text, length);
    return { ...output, ...partOfOutput(output, 0, end), nextStart: output.start + end };
  };
  return shown(largest(text.length - 1, (length) => JSON.stringify(shown(length)).length <= room));
}

/** The beginning of an agent's answer, or the whole of it and the first passages that it cites. */
function shorterAnswer(output: JsonValue, callId: string, room: number): JsonValue {
  const text = outputText(output);
  const shown = (length: number): JsonValue => {
    const end = characterBoundary(text, length);
    return { ...partOfOutput(output, 0, end), characters: text.length, readMore: readMore(callId, end) };
  };
  return shown(largest(text.length, (length) => JSON.stringify(shown(length)).length <= room));
}

function firstPassages(output: JsonValue, passages: FoundPassage[], callId: string, room: number) {
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

/**
 * The largest integer from 0 to `max` for which `holds`, by
 * binary search: when it holds for n, it holds for all below n.
 */
function largest(max: number, holds: (n: number) => boolean): number {
  let [low, high] = [0, max];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
