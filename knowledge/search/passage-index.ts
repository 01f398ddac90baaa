import type { Correction } from '../../contract/documents.ts';
import type { Scope } from '../../contract/references.ts';
import type { Language } from '../../contract/rules/stems.ts';
import type { QueryWord } from '../../contract/rules/terms.ts';

/** Which passages a query searches: those that one of the principals may read, narrowed by the request. */
export type PassageFilter = {
  /** The caller's principals: `everyone`, `subject:<id>`, `group:<name>`. */
  principals: string[];
  collections?: string[] | undefined;
  /** A document must have all of them. */
  tags?: string[] | undefined;
  language?: string | undefined;
  /** When the document last changed, in milliseconds since 1970. */
  updatedFrom?: number | undefined;
  updatedTo?: number | undefined;
};

export type PassageQuery = { text: string; vector?: Float32Array | undefined };

/** An entry of one result list, best first. Scores of different lists are not comparable. */
export type Hit = { chunkId: string; score: number };

/**
 * What an index knows of all of a tenant's passages, also of those that the caller may not read.
 *
 * @property passages  how many there are
 * @property languages of the documents that were searched
 * @property holders   for each term of the query's words, how many passages hold it; undefined when the index cannot
 *                     count them
 */
export type CorpusCounts = {
  passages: number;
  languages: Language[];
  holders: [term: string, passages: number][] | undefined;
};

/** The codes of a query that are looked up; one with more of them is a list. */
const maxCodes = 8;

/** More passages than this hold no code that names one thing. */
export const maxCodeHolders = 20;

/**
 * The passages that hold a code of the query, out of those that the filter allows.
 *
 * @property holders chunk ids, at most `maxCodeHolders` and one; none when no passage holds it. A possible code
 *   that none holds is left out
 */
export type FoundCode = { code: string; holders: string[] };

/** The words of a query that are looked up as codes, the sure ones first. */
export function codesAmong<T extends QueryWord>(words: T[]): T[] {
  const ofKind = (wanted: QueryWord['kind']) => words.filter(({ kind }) => kind === wanted);
  return [...ofKind('code'), ...ofKind('possible code')].slice(0, maxCodes);
}

export const foundCode = ({ text: code, kind }: Pick<QueryWord, 'text' | 'kind'>, holders: Hit[]): FoundCode[] =>
  holders.length > 0 || kind === 'code' ? [{ code, holders: holders.map(({ chunkId }) => chunkId) }] : [];

/**
 * The two result lists of a query.
 *
 * @property dense    empty when the query or the index has no vectors
 * @property searched about how many passages `dense` was chosen from: those that the filter allows
 */
export type Candidates = {
  lexical: Hit[];
  dense: Hit[];
  searched: number;
  corpus: CorpusCounts;
  codes: FoundCode[];
  corrections: Correction[];
};

/** @property behind changes of documents that the index has not applied yet */
export type IndexState = { passages: number; vectors: number; behind: number; bytes: number | null };

/**
 * The size of an index, as far as a process knows it without much work.
 *
 * @property behindSince when the oldest change was made that the index has not applied; counts tenants searched before
 */
export type IndexSize = { passages: number; vectors: number; bytes: number | null; behindSince: Date | undefined };

/** Chunk ids that differ between Postgres and an index. `surplus`: only the index has them. */
export type IndexDifferences = { missing: string[]; surplus: string[]; withoutVector: string[] };

/**
 * An index of passages, derived from Postgres. It stores no text that people read, may be lost at any time, and applies
 * permissions and filters inside the query.
 */
export interface PassageIndex {
  /** Identifies how it ranks; part of the index version. */
  readonly name: string;
  /** Sees every change of documents that was made before the call. @param depth the maximum length of each list */
  find(scope: Scope, filter: PassageFilter, query: PassageQuery, depth: number): Promise<Candidates>;
  /** May be answered without catching up first. `bytes` is null when a server does not report it. */
  state(tenant: string): Promise<IndexState>;
  /** For metrics. @returns undefined when this process has searched nothing yet */
  size(): Promise<IndexSize | undefined>;
  readonly operations: IndexOperations;
  close(): Promise<void>;
}

export interface IndexOperations {
  /**
   * The parts that are rebuilt, saved and restored as a whole: one for each tenant, or one for all tenants together.
   *
   * @returns names of parts for `rebuild`, `snapshot` and `restore`
   */
  parts(tenants: string[]): string[];
  /** Builds the part again from Postgres. The old index answers meanwhile; the switch is one atomic step. */
  rebuild(part: string): Promise<void>;
  /** Compares the index with Postgres. */
  verify(tenant: string): Promise<IndexDifferences>;
  /** Writes the part to a new file. After `restore` from it, the index applies the changes made since. */
  snapshot(part: string, file: string): Promise<void>;
  /**
   * @throws AlfredError `invalid_request` when the file is no snapshot of such an index; the index is unchanged then
   */
  restore(part: string, file: string): Promise<void>;
}

/** A passage, as it is given to an index. */
export type IndexedPassage = {
  chunkId: string;
  documentId: string;
  title: string;
  headings: string;
  body: string;
  vector: Float32Array | undefined;
};

/** A document with its passages, as it is given to an index. */
export type IndexedDocument = {
  documentId: string;
  title: string;
  collection: string;
  /** Principals that may read it, including its owner. */
  readers: string[];
  tags: string[];
  language: string | null;
  updatedMs: number;
  passages: IndexedPassage[];
};

/** The principals that may read a document: its `readers` and its owner. */
export const readersOf = (readers: string[], owner: string) => [...new Set([...readers, `subject:${owner}`])].sort();
