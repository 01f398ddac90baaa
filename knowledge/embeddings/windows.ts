/** Tokens that are embedded at once, without those that a model wants around every text; `weight`: how many of them are new. */
export type Window = { tokens: number[]; weight: number };

/**
 * A text in pieces that a model takes, so that nothing of it is cut off. What leads it (headings, an instruction) stands
 * before each piece, for a piece alone may not say what it speaks of; one that would take half of the room is text itself.
 *
 * @param room how many tokens a piece may have, 2 at the least
 */
export function windowsOf(lead: number[], text: number[], room: number): Window[] {
  if (lead.length + text.length <= room) return [{ tokens: [...lead, ...text], weight: 1 }];
  if (lead.length > room / 2) return windowsOf([], [...lead, ...text], room);
  const step = room - lead.length;
  return Array.from({ length: Math.ceil(text.length / step) }, (_, i) => {
    const piece = text.slice(i * step, (i + 1) * step);
    return { tokens: [...lead, ...piece], weight: piece.length };
  });
}

/** The mean of vectors of length 1, each counted by its weight, again of length 1. */
export function meanOf(vectors: { vector: Float32Array; weight: number }[]): Float32Array {
  const [first] = vectors;
  if (first && vectors.length === 1) return first.vector;
  const sum = new Float32Array(first?.vector.length ?? 0);
  for (const { vector, weight } of vectors)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (vector[i] ?? 0);
  return normalised(sum);
}

export function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return vector.map((x) => x / length);
}
