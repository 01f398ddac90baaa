/**
 * Tokens that the model embeds at once, without the special tokens around them. `weight` is the number of tokens of the
 * text among them.
 */
export type TokenWindow<T> = { tokens: T[]; weight: number };

/**
 * Splits a text into windows that fit the model, so that nothing of it is cut off. The prefix
 * (headings, an instruction) is repeated in each window, because a part alone may not say what
 * it is about. A prefix that would take more than half of a window is treated as text instead.
 *
 * @param maxTokens of a window, at least 2
 */
export function tokenWindows<T>(prefix: T[], text: T[], maxTokens: number): TokenWindow<T>[] {
  if (prefix.length + text.length <= maxTokens) return [{ tokens: [...prefix, ...text], weight: 1 }];
  if (prefix.length > maxTokens / 2) return tokenWindows([], [...prefix, ...text], maxTokens);
  const step = maxTokens - prefix.length;
  return Array.from({ length: Math.ceil(text.length / step) }, (_, i) => {
    const part = text.slice(i * step, (i + 1) * step);
    return { tokens: [...prefix, ...part], weight: part.length };
  });
}

/** The weighted mean of unit vectors, scaled to unit length again. */
export function weightedMean(vectors: { vector: Float32Array; weight: number }[]): Float32Array {
  const [first] = vectors;
  if (first && vectors.length === 1) return first.vector;
  const sum = new Float32Array(first?.vector.length ?? 0);
  for (const { vector, weight } of vectors) addTo(sum, vector, weight);
  return toUnitLength(sum);
}

/** Adds a vector, times `weight`, to a sum. */
export function addTo(sum: Float32Array, vector: Float32Array, weight = 1): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (vector[i] ?? 0);
}

/** A zero vector stays as it is. */
export function toUnitLength(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return vector.map((x) => x / length);
}
