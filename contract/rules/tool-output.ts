import { Passage } from '../documents.ts';
import type { JsonValue } from '../json.ts';
import { characterBoundary } from './character-boundary.ts';

/** A passage as a tool returned it. Fields that the schema does not know are kept. */
export type FoundPassage = Passage & { [key: string]: JsonValue };

const FoundPassages = Passage.partial({ score: true, version: true }).loose().array();

/** The citable passages in a tool's output, of any tool; undefined when it has none. */
export function passagesOf(output: JsonValue): FoundPassage[] | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output) || !Array.isArray(output.passages))
    return undefined;
  const parsed = FoundPassages.safeParse(output.passages);
  return parsed.success ? (parsed.data as FoundPassage[]) : undefined;
}

/**
 * Cuts a part out of a passage. The part has its own chunk id, so that it is cited under its own number.
 *
 * @param from, to offsets into the passage's text, in UTF-16 code units
 */
export function slicePassage(passage: FoundPassage, from: number, to: number): FoundPassage {
  const [begin, end] = [characterBoundary(passage.text, from), characterBoundary(passage.text, to)];
  if (begin === 0 && end >= passage.text.length) return passage;
  return {
    ...passage,
    chunkId: `${passage.chunkId}.${begin}-${end}`,
    text: passage.text.slice(begin, end),
    start: passage.start + begin,
    end: passage.start + end,
  };
}

/**
 * The passages of an output that holds little else (at most 1,000 characters of JSON beside them), else undefined.
 * A long output of this kind is read passage by passage and not as JSON text.
 */
export function passageListOf(output: JsonValue): FoundPassage[] | undefined {
  const passages = passagesOf(output);
  if (!passages?.length) return undefined;
  const { passages: _, ...rest } = output as Record<string, JsonValue>;
  return JSON.stringify(rest).length <= 1_000 ? passages : undefined;
}

/** The parts of passages that lie between two offsets into the joined text of all passages. */
export function slicePassages(passages: FoundPassage[], from: number, to: number): FoundPassage[] {
  let offset = 0;
  return passages.flatMap((passage) => {
    const { length } = passage.text;
    const [begin, end] = [Math.max(0, from - offset), Math.min(length, to - offset)];
    offset += length;
    return begin < end ? [slicePassage(passage, begin, end)] : [];
  });
}

/**
 * One part of a longer text, as a paging tool returns it. `nextStart` is where the next part begins, null at the end.
 */
export type Slice = { start: number; characters: number; nextStart: number | null } & { [key: string]: JsonValue };

export const isSlice = (output: JsonValue): output is Slice =>
  typeof output === 'object' &&
  output !== null &&
  !Array.isArray(output) &&
  typeof output.start === 'number' &&
  typeof output.characters === 'number' &&
  (typeof output.nextStart === 'number' || output.nextStart === null) &&
  (typeof output.text === 'string' || passageListOf(output) !== undefined);

/**
 * The text that offsets into a tool's output refer to: the joined text of its passages, or the text of a slice, or the
 * output as a string or JSON.
 */
export function outputText(output: JsonValue): string {
  if (typeof output === 'string') return output;
  const passages = passageListOf(output);
  if (passages) return passages.map(({ text }) => text).join('');
  return isSlice(output) && typeof output.text === 'string' ? output.text : JSON.stringify(output);
}

/** What the model reads in place of a result that was removed to save space. */
export const droppedOutput = (callId: string): JsonValue => ({
  dropped: true,
  readMore: `To read this result again call read_result with callId ${JSON.stringify(callId)}.`,
});
