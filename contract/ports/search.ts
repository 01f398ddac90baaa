import type { SearchRequest, SearchResult } from '../documents.ts';
import type { Scope } from '../references.ts';

/**
 * How near passages have to be to a query, as cosines less what chance gives in a collection of its size.
 *
 * @property strong       from there on they most likely speak of what was asked
 * @property weak         below it, nothing is near
 * @property chance       weighs what is subtracted: among more passages, the nearest are nearer by chance
 * @property spread       how far apart the model puts near and far sentences; other signals are weighed by it
 * @property surroundings the share, from 0 to 1, that the nearness of the passages around the best one has. Undefined
 *   for a model with which this was not measured: its nearest sentence alone decides
 */
export type EvidenceThresholds = {
  strong: number;
  weak: number;
  chance: number;
  spread: number;
  surroundings?: number | undefined;
};

/** From which score of the best passage on evidence is strong, and from which it is weak; below, nothing is near. */
export type RerankThresholds = { strong: number; weak: number };

/** Turns text into vectors of length 1. */
export interface Embedder {
  /** Stored with every vector: vectors of different models are not comparable. */
  readonly model: string;

  /**
   * From which similarity of its best sentence on a search counts as strong or weak evidence, see
   * `EvidenceThresholds`. Undefined for a model whose cosines are not calibrated: words alone decide.
   */
  readonly evidence: EvidenceThresholds | undefined;

  /** Embeds passages, in their order. A text that is too long for the model's input is split, not truncated. */
  embedPassages(passages: PassageText[], signal: AbortSignal): Promise<PassageVectors[]>;

  /** Embeds the text of a search. */
  embedQuery(text: string, signal: AbortSignal): Promise<Float32Array>;

  close(): Promise<void>;
}

/**
 * @property vector    of the whole passage
 * @property sentences of its sentences (`sentencesOf` in contract/rules/quote.ts), in their order, each made from its
 *   words in the context of the passage; undefined for a model that shows no vectors of single words
 */
export type PassageVectors = { vector: Float32Array; sentences: Float32Array[] | undefined };

/** The embedder of this process. */
export interface Embeddings {
  /** @returns undefined when no embedder is configured or loaded yet. Search then uses words only. */
  embedder(): Promise<Embedder | undefined>;

  close(): Promise<void>;
}

/**
 * Scores passages by reading the question and each passage together. The scores are more exact than those of an index,
 * but take too long for more than a few candidates.
 */
export interface Reranker {
  /** Part of the index version, because scores of different rerankers are not comparable. */
  readonly model: string;

  /** The most passages that it gets in one request. */
  readonly candidates: number;

  /**
   * How many sentences of these passages it gets in place of the passages, where sentences are rated. Undefined: it
   * always gets passages.
   */
  readonly sentences?: number | undefined;

  /** How long a search waits for the scores, in milliseconds. */
  readonly timeoutMs: number;

  /** How many searches it gets at once; further ones go on without it. Undefined: any number. */
  readonly maxAtOnce?: number | undefined;

  /** Decides the evidence of a search; undefined when its scores are not calibrated: they only order passages then. */
  readonly evidence: RerankThresholds | undefined;

  /** The languages that it reads, as ISO 639-1 codes; undefined: any. Queries and passages in others are not scored. */
  readonly languages?: readonly string[] | undefined;

  /** Whether it can be asked now; a model on this machine may still be downloading. Absent: it always can. */
  isReady?(): Promise<boolean>;

  /**
   * Scores texts for a query.
   *
   * @returns one score for each text, in the order of the texts; higher is better
   * @throws AlfredError with one of the model error codes, and with `retryAfterMs` when an earlier retry is useless
   */
  scores(query: string, texts: string[], signal: AbortSignal): Promise<number[]>;

  close?(): Promise<void>;
}

/** The text of a passage that is embedded: its headings, one on each line, and its body. */
export type PassageText = { headings: string; text: string };

/** A text that has no vector yet. */
export type UnembeddedText = PassageText & { tenant: string; hash: string };

/** The vectors of documents. Postgres stores them; the search indexes are derived from them. */
export interface Vectors {
  /**
   * Reads when the oldest document changed that lacks vectors of `model`, or whose vectors are not published to the
   * indexes yet.
   *
   * @returns undefined when there is no such document, which is found out without reading all documents
   */
  pendingSince(model: string): Promise<Date | undefined>;

  /**
   * Lists chunk texts of all tenants that `model` has not embedded yet, newest documents first. A text that several
   * chunks share is listed once.
   */
  listMissing(model: string, limit: number): Promise<UnembeddedText[]>;

  /** Stores vectors and deletes those that no chunk uses any more. `publish` makes them visible to the indexes. */
  store(model: string, vectors: (TextRef & PassageVectors)[]): Promise<void>;

  /**
   * Makes the indexes take over the stored vectors of every document that contains one of these texts. Without `texts`,
   * they take over those of every document whose vectors are complete, including vectors that a worker stored before it
   * died.
   */
  publish(model: string, texts?: TextRef[]): Promise<void>;

  /** Counts chunks, and how many of them have a vector. Without `tenant`, counts those of all tenants. */
  progress(model: string, tenant?: string): Promise<{ chunks: number; embedded: number }>;
}

/** Identifies a text by its hash. */
type TextRef = Pick<UnembeddedText, 'tenant' | 'hash'>;

/** Finds passages that the caller may read. */
export interface SearchIndex {
  /** Finds passages, best first. Every document that was stored before the call is searched. */
  search(scope: Scope, request: SearchRequest, signal?: AbortSignal): Promise<SearchResult>;

  close(): Promise<void>;
}
