import { Passage } from '../documents.ts';
import type { JsonValue } from '../json.ts';

/** A passage as a tool returned it; what it holds beyond the schema is kept. */
export type FoundPassage = Passage & { [key: string]: JsonValue };

const FoundPassages = Passage.partial({ score: true, version: true }).loose().array();

/** The passages of a tool's output, whatever tool it was, or undefined when it has none that can be cited. */
export function passagesOf(output: JsonValue): FoundPassage[] | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output) || !Array.isArray(output.passages))
    return undefined;
  const parsed = FoundPassages.safeParse(output.passages);
  return parsed.success ? (parsed.data as FoundPassage[]) : undefined;
}

/** Part of a passage, from an offset in its text to another. It can be cited like a whole one and gets its own number. */
export function partOf(passage: FoundPassage, from: number, to: number): FoundPassage {
  const [begin, end] = [characterStart(passage.text, from), characterStart(passage.text, to)];
  if (begin === 0 && end >= passage.text.length) return passage;
  return {
    ...passage,
    chunkId: `${passage.chunkId}.${begin}-${end}`,
    text: passage.text.slice(begin, end),
    start: passage.start + begin,
    end: passage.start + end,
  };
}

/** The passages of an output that is little else than passages, which is then read passage by passage. */
export function mainlyPassages(output: JsonValue): FoundPassage[] | undefined {
  const passages = passagesOf(output);
  if (!passages?.length) return undefined;
  const { passages: _, ...rest } = output as Record<string, JsonValue>;
  return JSON.stringify(rest).length <= 1_000 ? passages : undefined;
}

/** What lies between two offsets in the text of all passages together. */
export function slicePassages(passages: FoundPassage[], from: number, to: number): FoundPassage[] {
  let offset = 0;
  return passages.flatMap((passage) => {
    const { length } = passage.text;
    const [begin, end] = [Math.max(0, from - offset), Math.min(length, to - offset)];
    offset += length;
    return begin < end ? [partOf(passage, begin, end)] : [];
  });
}

/** A part of something longer, as tools that read on return it: `nextStart` is where the same tool goes on, null at the end. */
export type Slice = { start: number; characters: number; nextStart: number | null } & { [key: string]: JsonValue };

export const isSlice = (output: JsonValue): output is Slice =>
  typeof output === 'object' &&
  output !== null &&
  !Array.isArray(output) &&
  typeof output.start === 'number' &&
  typeof output.characters === 'number' &&
  (typeof output.nextStart === 'number' || output.nextStart === null) &&
  (typeof output.text === 'string' || mainlyPassages(output) !== undefined);

/** What the offsets of a tool's output count: the text of its passages, one after the other, else the text or JSON itself. */
export function textOf(output: JsonValue): string {
  if (typeof output === 'string') return output;
  const passages = mainlyPassages(output);
  if (passages) return passages.map(({ text }) => text).join('');
  return isSlice(output) && typeof output.text === 'string' ? output.text : JSON.stringify(output);
}

/** The offset itself, or one less where it would cut a character in two. */
export const characterStart = (text: string, offset: number): number =>
  /^[\uDC00-\uDFFF]/.test(text.charAt(offset)) && offset > 0 ? offset - 1 : offset;

/** What a model reads in place of a result that made room. */
export const droppedOutput = (callId: string): JsonValue => ({
  dropped: true,
  readMore: `To read this result again call read_result with callId ${JSON.stringify(callId)}.`,
});
