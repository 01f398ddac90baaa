import type { Hit } from '../passage-index.ts';

/**
 * How many hits beyond the length of a list are asked for, in this order, until the ties at its end are complete.
 * Qdrant orders equal scores by its segments, which a rebuild or a restore changes.
 */
export const extraHits = [50, 1_000] as const;

/**
 * The best hits of a list: by score, and equal scores by id. So the same passages have the same order in every
 * collection, also at the end of the list, unless more than a thousand of them have the score of the last one.
 */
export const bestHits = (hits: Hit[], limit: number): Hit[] =>
  hits.toSorted((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1)).slice(0, limit);

/**
 * Whether the server may have left out hits that belong to a tie at the end of the list.
 *
 * @param hits      as they came, best first
 * @param requested how many were asked for
 */
export const endsInsideTie = (hits: Hit[], { limit, requested }: { limit: number; requested: number }): boolean =>
  hits.length >= requested && hits[limit - 1]?.score === hits.at(-1)?.score;
