/** @property ids of the tokens; `types`: for each, to which of the two texts it belongs (0 or 1) */
type PairTokens = { ids: number[]; types: number[] };

export type PairEncoding = { ids: number[]; token_type_ids: number[] };

/** The special tokens before the first text, between the two, and after the second, with their types. */
export type PairTemplate = { before: PairTokens; between: PairTokens; after: PairTokens; textTypes: [number, number] };

/** A passage gets at least this part of the window, however long the query is. */
const minPassageShare = 0.25;

/**
 * Reads where a tokenizer puts special tokens from the encoding of a pair of short texts.
 *
 * @param pair   the encoding of both texts, with special tokens; `first` and `second`: the ids of each text alone
 * @returns undefined when the tokenizer cannot encode pairs
 */
export function pairTemplateOf(pair: PairEncoding, first: number[], second: number[]): PairTemplate | undefined {
  const start = indexOf(pair.ids, first, 0);
  const end = start + first.length;
  const secondStart = start < 0 ? -1 : indexOf(pair.ids, second, end);
  // Without special tokens between them, a model could not tell the two texts apart.
  if (secondStart <= end) return undefined;
  const part = (from: number, to?: number): PairTokens => ({
    ids: pair.ids.slice(from, to),
    types: pair.token_type_ids.slice(from, to),
  });
  return {
    before: part(0, start),
    between: part(end, secondStart),
    after: part(secondStart + second.length),
    textTypes: [pair.token_type_ids[start] ?? 0, pair.token_type_ids[secondStart] ?? 0],
  };
}

/**
 * The tokens of a query with a passage. The passage is cut to the model's window, the query only when it would leave
 * less than a quarter of the window to the passage.
 */
export function pairTokens(
  { before, between, after, textTypes }: PairTemplate,
  { query, passage, maxTokens }: { query: number[]; passage: number[]; maxTokens: number },
): PairTokens {
  const room = maxTokens - before.ids.length - between.ids.length - after.ids.length;
  const forPassage = Math.min(passage.length, Math.ceil(room * minPassageShare));
  const first = query.slice(0, room - forPassage);
  const second = passage.slice(0, room - first.length);
  const ids = [...before.ids, ...first, ...between.ids, ...second, ...after.ids];
  const types = [
    ...before.types,
    ...first.map(() => textTypes[0]),
    ...between.types,
    ...second.map(() => textTypes[1]),
    ...after.types,
  ];
  return { ids, types };
}

function indexOf(ids: number[], part: number[], from: number): number {
  if (part.length === 0) return -1;
  const at = ids.slice(from).findIndex((_, i) => part.every((id, j) => ids[from + i + j] === id));
  return at < 0 ? -1 : from + at;
}
