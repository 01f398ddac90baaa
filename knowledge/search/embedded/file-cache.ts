import { LRUCache } from 'lru-cache';
import type { PassageFilter, Hit } from '../passage-index.ts';
import type { Facets } from './apply-changes.ts';
import type { BinaryCodes } from './binary-quantization.ts';

export type FileQuery = {
  filter: PassageFilter;
  /** For FTS5, each a quoted word. */
  terms: string[];
  vector: Float32Array | undefined;
  depth: number;
};

/** What a thread remembers of an open file; classes and vectors are only ever added, under growing ids. */
export type FileCache = {
  /** What the file held when it was last read. */
  state: string | undefined;
  classes: Map<number, Facets>;
  lastClass: number;
  codes: BinaryCodes | undefined;
  lastVector: number;
  /** Bytes of the vectors in `codes`: as many as the query's had, for others do not compare. */
  vectorBytes: number;
  /** In how many passages frequent words stand, as it was when it was last counted. */
  holders: LRUCache<string, number>;
};
export const emptyFileCache = (): FileCache => ({
  ...{ state: undefined, classes: new Map(), lastClass: 0, codes: undefined, lastVector: 0, vectorBytes: 0 },
  // Counts grow old as documents come and go; they only choose among words.
  holders: new LRUCache({ max: 20_000, ttl: 600_000 }),
});

/** When a document may have changed, in milliseconds since 1970. */
export const updatedRange = ({ updatedFrom = -Infinity, updatedTo = Infinity }: PassageFilter) =>
  [updatedFrom, updatedTo] as const;

/** Rows of a query, best first. */
export const hitsOf = ({ rows }: { rows: Record<string, unknown>[] }): Hit[] =>
  rows.map((row) => ({ chunkId: String(row.chunk_id), score: Number(row.score) }));
