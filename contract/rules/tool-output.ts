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
 * The answer of an agent that another one has asked. `citedAs`: by chunk id, the number that a passage has in `answer`.
 */
export type AgentAnswer = { answer: string; citedAs: Record<string, number>; passages: FoundPassage[] } & {
  [key: string]: JsonValue;
};

/** @returns undefined for any other output */
export function agentAnswerOf(output: JsonValue): AgentAnswer | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return undefined;
  const { answer, citedAs } = output;
  if (typeof answer !== 'string' || typeof citedAs !== 'object' || citedAs === null || Array.isArray(citedAs))
    return undefined;
  return { ...output, answer, citedAs: citedAs as Record<string, number>, passages: passagesOf(output) ?? [] };
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
  (typeof output.text === 'string' || agentAnswerOf(output) !== undefined || passageListOf(output) !== undefined);

/**
 * The text that offsets into a tool's output refer to: an agent's answer and the passages that it cites, or the joined
 * text of its passages, or the text of a slice, or the output as a string or JSON.
 */
export function outputText(output: JsonValue): string {
  if (typeof output === 'string') return output;
  const answered = agentAnswerOf(output);
  if (answered) return answered.answer + answered.passages.map(({ text }) => text).join('');
  const passages = passageListOf(output);
  if (passages) return passages.map(({ text }) => text).join('');
  return isSlice(output) && typeof output.text === 'string' ? output.text : JSON.stringify(output);
}

/**
 * What stands between two offsets into the text of an output. Passages stay passages, so that the model can cite them,
 * and the answer of an agent stays one whose numbers have a meaning.
 */
export function partOfOutput(output: JsonValue, from: number, to: number): { [key: string]: JsonValue } {
  const answered = agentAnswerOf(output);
  if (answered) {
    const { answer, passages } = answered;
    return {
      ...answered,
      answer: answer.slice(from, to),
      passages: slicePassages(passages, from - answer.length, to - answer.length),
    };
  }
  const passages = passageListOf(output);
  return passages ? { passages: slicePassages(passages, from, to) } : { text: outputText(output).slice(from, to) };
}

/** What the model reads in place of a result that was removed to save space. */
export const droppedOutput = (callId: string): JsonValue => ({
  dropped: true,
  readMore: `To read this result again call read_result with callId ${JSON.stringify(callId)}.`,
});
