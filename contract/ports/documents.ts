import type { Document, DocumentList, DocumentListQuery, Ingestion, Placement } from '../documents.ts';
import type { Chunking } from '../chunking.ts';
import type { ErrorCode } from '../errors.ts';
import type { ContentHash, Scope, SourceRef } from '../references.ts';

export type Block = { headingPath: string[]; page: number | null; text: string; start: number; end: number };

/** `language` is an ISO 639-1 code, or null when it is not sure. */
export type ParsedDocument = { title: string; text: string; language: string | null; chunks: Block[] };

export type FileToParse = {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
  typeDecides?: boolean | undefined;
  chunking?: Chunking | undefined;
};

export interface DocumentParser {
  /**
   * @param file `typeDecides`: the media type says what it is, and the name only where that is silent; else the other way.
   *   `chunking`: how its text is cut; default: as when nobody says
   * @throws AlfredError `file_*` with the reason
   */
  parse(file: FileToParse, signal: AbortSignal): Promise<ParsedDocument>;
}

export type UploadedFile = { name: string; mediaType: string; bytes: Uint8Array };

export type PendingFile = {
  ordinal: number;
  name: string;
  mediaType: string;
  contentHash: ContentHash;
  sizeBytes: number;
};

/** One file of an ingestion. */
export type UploadRef = { ingestionId: string; ordinal: number };

export type FileOutcome =
  | { state: 'added' | 'replaced' | 'unchanged'; documentId: string }
  | { state: 'failed'; code: ErrorCode; message: string };

/**
 * Documents, their chunks, and uploads on their way in. Postgres is the truth; an index is derived from it. A subject
 * finds only what it may read: its own, and what names it, one of its groups, or everyone.
 */
export interface Documents {
  list(scope: Scope, query: DocumentListQuery): Promise<DocumentList>;
  get(scope: Scope, documentId: string): Promise<Document | undefined>;
  /** With the whole text, which passages' offsets (UTF-16 code units) count into. */
  read(scope: Scope, documentId: string): Promise<{ document: Document; text: string } | undefined>;
  delete(scope: Scope, documentId: string): Promise<boolean>;
  /** Every tenant that has documents, for whoever keeps the index. */
  tenants(): Promise<string[]>;
  /**
   * Same name and content, cut as its collection says: nothing is written, nor parsed. Same name, other content or another
   * cut: what is another chunk is replaced. Readers see the old or the new version, never a mixture. An upload is settled
   * in the same transaction. Whoever added a document stays its owner.
   *
   * @param where `SourceRef`: where that source's row says when the document is written
   * @throws AlfredError `file_name_taken` when a document of that name is not for the subject to read, `not_found` when
   *   the source is there no more
   */
  put(
    scope: Scope,
    file: Omit<PendingFile, 'ordinal'>,
    parse: (chunking: Chunking) => Promise<ParsedDocument>,
    where: Placement | SourceRef,
    upload?: UploadRef,
  ): Promise<FileOutcome>;
  /** Stores the files with their bytes; nothing is read yet. @returns the ingestion's id */
  createIngestion(scope: Scope, files: UploadedFile[], placement: Placement): Promise<string>;
  /**
   * Another ingestion, of the files that failed in this one, or were still pending at its end, and that nothing has taken the
   * place of since: neither an earlier retry nor a newer document of that name. While a retry is running, that one. A retry's own retry is of the
   * upload that it began with.
   *
   * @returns its id; undefined when there is no such ingestion
   * @throws AlfredError `ingestion_running`, `ingestion_without_failures`, `file_bytes_gone`
   */
  retryIngestion(scope: Scope, ingestionId: string): Promise<string | undefined>;
  /** Lets go of the bytes of files whose time for a retry is over. @returns of how many files */
  forgetKeptFiles(limit: number): Promise<number>;
  /** Where the files of an ingestion go. */
  placementOf(scope: Scope, ingestionId: string): Promise<Placement>;
  ingestion(scope: Scope, ingestionId: string): Promise<Omit<Ingestion, 'links'> | undefined>;
  pendingFiles(scope: Scope, ingestionId: string, limit: number): Promise<PendingFile[]>;
  /** When the oldest file came in that is still to be read, over all tenants; for the sweep. */
  pendingSince(): Promise<Date | undefined>;
  /** The bytes of an uploaded file. */
  file(scope: Scope, hash: ContentHash): Promise<Uint8Array | undefined>;
  /** Once: a file that is settled stays as it is. */
  settleFile(scope: Scope, upload: UploadRef, outcome: FileOutcome): Promise<void>;
  /**
   * Once: the first end counts. Files that are still pending then are given up.
   *
   * @param options.keepFiles their bytes, for a retry; default true
   * @returns whether it was running until then
   */
  endIngestion(
    scope: Scope,
    ingestionId: string,
    status: 'completed' | 'failed' | 'cancelled',
    options?: { keepFiles?: boolean },
  ): Promise<boolean>;
  /** Ingestions that have been running for longer than that, in pages by id, over all tenants; for the sweep. */
  openIngestions(options: {
    olderThanMs: number;
    after: string | undefined;
    limit: number;
  }): Promise<(Scope & { ingestionId: string; createdAt: Date })[]>;
}

/** Who is in which group. */
export interface Groups {
  /** A subject is in these groups, and in no other, from now on. */
  set(scope: Scope, groups: string[]): Promise<void>;
}
