import type { Scope } from '../../contract/references.ts';

/** Which passages count: those that one of the principals may read, narrowed by what the request names. */
export type PassageFilter = {
  /** `everyone`, `subject:<id>`, `group:<name>`: what whoever asks is. */
  principals: string[];
  collections?: string[] | undefined;
  /** Documents that carry all of them. */
  tags?: string[] | undefined;
  language?: string | undefined;
  /** When the document last changed, in milliseconds since 1970. */
  updatedFrom?: number | undefined;
  updatedTo?: number | undefined;
};

export type PassageQuery = { text: string; vector?: Float32Array | undefined };

/** A passage in one list, best first; scores of two lists do not compare. */
export type Hit = { chunkId: string; score: number };

/** What an index knows of a query. Without a vector, or where it has none, `dense` is empty. */
export type Candidates = { lexical: Hit[]; dense: Hit[] };

/** `behind`: changes of documents that it has not taken over yet. */
export type IndexState = { passages: number; vectors: number; behind: number; bytes: number | null };

/**
 * What a process knows of its index without much work. `behindSince`: when the oldest change was made that it has not taken
 * over, of tenants that were searched.
 */
export type IndexSize = { passages: number; vectors: number; bytes: number | null; behindSince: Date | undefined };

/** What Postgres and an index hold differently. */
export type IndexDifferences = { missing: string[]; surplus: string[]; withoutVector: string[] };

/**
 * An index of passages, derived from Postgres. It holds no text that people read, can be lost at any time, and filters
 * inside the query.
 */
export interface PassageIndex {
  /** Names how it ranks; part of the index version. */
  readonly name: string;
  /** Sees every change of documents that was made before the call. @param depth length of each list at the most */
  find(scope: Scope, filter: PassageFilter, query: PassageQuery, depth: number): Promise<Candidates>;
  /** Does not have to catch up first. `bytes`: null when a server keeps that to itself. */
  state(tenant: string): Promise<IndexState>;
  /** For metrics. @returns undefined when this process has searched nothing yet */
  size(): Promise<IndexSize | undefined>;
  readonly operations: IndexOperations;
  close(): Promise<void>;
}

export interface IndexOperations {
  /**
   * What is rebuilt, saved and put back as one: each tenant's index by itself where it is one, all together where they are not.
   *
   * @returns names, which `rebuild`, `snapshot` and `restore` take
   */
  parts(tenants: string[]): string[];
  /** Builds it anew from Postgres, while the old one answers; the change from one to the other is one step. */
  rebuild(part: string): Promise<void>;
  verify(tenant: string): Promise<IndexDifferences>;
  /** Writes what it holds to a new file, which `restore` puts in its place; what has changed since is taken over afterwards. */
  snapshot(part: string, file: string): Promise<void>;
  /** @throws AlfredError `invalid_request` when the file holds no snapshot of such an index; the index stays then */
  restore(part: string, file: string): Promise<void>;
}

/** What an index stores of a passage. */
export type IndexedPassage = {
  chunkId: string;
  documentId: string;
  title: string;
  headings: string;
  body: string;
  vector: Float32Array | undefined;
};

/** What all passages of a document share. */
export type IndexedDocument = {
  documentId: string;
  title: string;
  collection: string;
  /** Principals that may read it, its owner among them. */
  readers: string[];
  tags: string[];
  language: string | null;
  updatedMs: number;
  passages: IndexedPassage[];
};

/** The principals that `readers` and the owner of a document stand for. */
export const readersOf = (readers: string[], owner: string) => [...new Set([...readers, `subject:${owner}`])].sort();
