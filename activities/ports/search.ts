import type { SearchRequest, SearchResult } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';

/** Turns text into vectors of length 1. */
export interface Embedder {
  /** Named with every vector; vectors of two models do not compare. */
  readonly model: string;
  /** Its cosines are on the scale that the threshold of relevance was calibrated with. */
  readonly isCalibrated: boolean;
  embedPassages(texts: string[], signal: AbortSignal): Promise<Float32Array[]>;
  embedQuery(text: string, signal: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The embedder of this process. */
export interface Embeddings {
  /** @returns undefined when there is none, or not yet: then a search goes by words alone */
  embedder(): Promise<Embedder | undefined>;
  close(): Promise<void>;
}

/** A text that has no vector yet. */
export type Unembedded = { tenant: string; hash: string; text: string };

/** The vectors of documents. Postgres keeps them; an index is derived from them. */
export interface Vectors {
  /** Texts of any tenant's chunks that `model` has not embedded, oldest documents last. */
  missing(model: string, limit: number): Promise<Unembedded[]>;
  /** When the oldest document changed of which `model` has a text left to embed. Looks at all texts. */
  missingSince(model: string): Promise<Date | undefined>;
  /** Stores vectors, and has the indexes take them over. What nobody needs any more is dropped. */
  store(model: string, vectors: (Pick<Unembedded, 'tenant' | 'hash'> & { vector: Float32Array })[]): Promise<void>;
  /** How far the vectors of a tenant's chunks are; of all tenants when there is none named. */
  progress(model: string, tenant?: string): Promise<{ chunks: number; embedded: number }>;
}

/** Finds passages that whoever asks may read. */
export interface SearchIndex {
  /** Best first. Sees every document that was stored before the call. */
  search(scope: Scope, request: SearchRequest, signal?: AbortSignal): Promise<SearchResult>;
  close(): Promise<void>;
}
