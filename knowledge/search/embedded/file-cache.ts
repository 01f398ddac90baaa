import { LRUCache } from 'lru-cache';
import type { Hit, PassageFilter } from '../passage-index.ts';
import type { Facets } from './change-plan.ts';
import type { VectorCodes } from './vector-codes.ts';

export type FileQuery = {
  filter: PassageFilter;
  text: string;
  vector: Float32Array | undefined;
  depth: number;
};

/**
 * What a thread keeps in memory of an open file. Classes and vectors are only added to a file, with growing ids, so the
 * cache is updated by reading the rows after the last known id.
 */
export type FileCache = {
  /** The state of the file when it was last read. */
  state: string | undefined;
  classes: Map<number, Facets>;
  lastClass: number;
  /** How many passages the file has. */
  passages: number;
  codes: VectorCodes | undefined;
  lastVector: number;
  /** Length in bytes of the vectors in `codes`. The query's vector has the same length; others are not comparable. */
  vectorBytes: number;
  /** For frequent words, the number of passages that contain them, as it was when it was counted. */
  passageCounts: LRUCache<string, number>;
};
export const emptyFileCache = (): FileCache => ({
  state: undefined,
  classes: new Map(),
  lastClass: 0,
  passages: 0,
  codes: undefined,
  lastVector: 0,
  vectorBytes: 0,
  // A count may be out of date: it only decides which words rank the passages.
  passageCounts: new LRUCache({ max: 20_000, ttl: 600_000 }),
});

/** When a document may have changed: from and to, in milliseconds since 1970. */
export const updatedRange = ({ updatedFrom = -Infinity, updatedTo = Infinity }: PassageFilter) =>
  [updatedFrom, updatedTo] as const;

/** The rows of a query result, best first. */
export const hitsOf = ({ rows }: { rows: Record<string, unknown>[] }): Hit[] =>
  rows.map((row) => ({ chunkId: String(row.chunk_id), score: Number(row.score) }));
