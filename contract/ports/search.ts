import type { SearchRequest, SearchResult } from '../documents.ts';
import type { Scope } from '../references.ts';

/** Turns text into vectors of length 1. */
export interface Embedder {
  /** Named with every vector; vectors of two models do not compare. */
  readonly model: string;
  /**
   * From what sum on, of the part of a question's words that a passage covers and the cosine of the two, the passage speaks
   * of what was asked. A model whose cosines nobody has calibrated has none: then words alone decide.
   */
  readonly relevanceThreshold: number | undefined;
  /** What does not fit the model at once is not cut off. */
  embedPassages(passages: PassageText[], signal: AbortSignal): Promise<Float32Array[]>;
  embedQuery(text: string, signal: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The embedder of this process. */
export interface Embeddings {
  /** @returns undefined when there is none, or not yet: then a search goes by words alone */
  embedder(): Promise<Embedder | undefined>;
  close(): Promise<void>;
}

/** Judges passages by reading the question and each of them together: better than any index ranks, and too slow for all. */
export interface Reranker {
  /** Part of the index version: answers of two rerankers do not compare. */
  readonly model: string;
  /** Texts that it is given at the most. */
  readonly candidates: number;
  /** How long a search waits for it, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * @returns a score for each text, in the order of the texts; higher is better
   * @throws AlfredError with one of the codes of a model; `retryAfterMs` when there is no use in asking sooner
   */
  scores(query: string, texts: string[], signal: AbortSignal): Promise<number[]>;
}

/** What is embedded of a passage: the headings above it, a line each, and its text. */
export type PassageText = { headings: string; text: string };

/** A text that has no vector yet. */
export type UnembeddedText = PassageText & { tenant: string; hash: string };

/** The vectors of documents. Postgres keeps them; an index is derived from them. */
export interface Vectors {
  /**
   * When the oldest document changed that may lack vectors of `model`, or has some that no index was told of; undefined when
   * there is none. Costs next to nothing then.
   */
  pendingSince(model: string): Promise<Date | undefined>;
  /** Texts of any tenant's chunks that `model` has not embedded, oldest documents last; a text that several hold, once. */
  listMissing(model: string, limit: number): Promise<UnembeddedText[]>;
  /** Stores vectors; `settle` has the indexes take them over. What nobody needs any more is dropped. */
  store(model: string, vectors: (TextRef & { vector: Float32Array })[]): Promise<void>;
  /**
   * Has the indexes take over what was stored for the documents that hold these texts. When none are named: for every
   * document whose vectors are all there, whoever stored them and died.
   */
  publish(model: string, texts?: TextRef[]): Promise<void>;
  /** How far the vectors of a tenant's chunks are; of all tenants when there is none named. */
  progress(model: string, tenant?: string): Promise<{ chunks: number; embedded: number }>;
}

type TextRef = Pick<UnembeddedText, 'tenant' | 'hash'>;

/** Finds passages that whoever asks may read. */
export interface SearchIndex {
  /** Best first. Sees every document that was stored before the call. */
  search(scope: Scope, request: SearchRequest, signal?: AbortSignal): Promise<SearchResult>;
  close(): Promise<void>;
}
