import type { Document, DocumentList, DocumentListQuery, Ingestion, Placement } from '../documents.ts';
import type { Chunking } from '../chunking.ts';
import type { Collection, CollectionListQuery } from '../collections.ts';
import type { ErrorCode } from '../errors.ts';
import type { ContentHash, Scope, SourceRef } from '../references.ts';

/**
 * The part of a document that is embedded and found by searches. `text` is the document's text from `start` to `end`
 * (UTF-16 code units, `end` excluded). `page` is null for formats without pages.
 */
export type Chunk = { headingPath: string[]; page: number | null; text: string; start: number; end: number };

/** `language` is an ISO 639-1 code, or null when it could not be detected reliably. */
export type ParsedDocument = { title: string; text: string; language: string | null; chunks: Chunk[] };

export type FileToParse = {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
  /**
   * True: the media type decides what kind of file it is, and the name's extension only when the media type is unknown.
   * False, the default: the other way round.
   */
  typeDecides?: boolean | undefined;
  /** How the text is cut into chunks; default: `defaultChunking`. */
  chunking?: Chunking | undefined;
};

export interface DocumentParser {
  /** @throws AlfredError `file_*` with the reason */
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

/** One file of an ingestion. `ordinal` is its position among the uploaded files, from 0. */
export type UploadRef = { ingestionId: string; ordinal: number };

export type FileOutcome =
  | { state: 'added' | 'replaced' | 'unchanged'; documentId: string }
  | { state: 'failed'; code: ErrorCode; message: string };

/** A file to store as a document. */
export type DocumentToStore = {
  file: Omit<PendingFile, 'ordinal'>;
  /**
   * Parses the file, with its text cut as its collection wants. Not called when neither content nor chunking changed.
   */
  parse: (chunking: Chunking) => Promise<ParsedDocument>;
  /** A `SourceRef` stands for the placement that the source's row has at the moment of writing. */
  placement: Placement | SourceRef;
  /** The upload that the document comes from. Its outcome is recorded in the same transaction. */
  upload?: UploadRef | undefined;
};

/**
 * Documents, their chunks, and uploads that are still to be read. Postgres is the system of record; search indexes are
 * derived from it. A subject sees the documents that it owns, and those whose readers name it, one of its groups, or
 * everyone.
 */
export interface Documents {
  list(scope: Scope, query: DocumentListQuery): Promise<DocumentList>;
  get(scope: Scope, documentId: string): Promise<Document | undefined>;
  /** A document with its whole text. The offsets of passages (UTF-16 code units) refer to this text. */
  read(scope: Scope, documentId: string): Promise<{ document: Document; text: string } | undefined>;
  delete(scope: Scope, documentId: string): Promise<boolean>;
  /** Every tenant that has documents. */
  listTenants(): Promise<string[]>;
  /**
   * Adds a document, or replaces the one of the same name in the collection.
   *
   * When content and chunking are the same as before, nothing is parsed and no chunk is
   * written. Otherwise only the chunks that differ are replaced, in one transaction, so a
   * reader sees the old version or the new one. A replaced document keeps its owner.
   *
   * @throws AlfredError `file_name_taken` when the subject may not read the document of
   *   that name, or may not change its readers; `not_found` when the source was deleted
   */
  put(scope: Scope, document: DocumentToStore): Promise<FileOutcome>;
  /** Stores the files' bytes without parsing them. @returns the ingestion's id */
  createIngestion(scope: Scope, files: UploadedFile[], placement: Placement): Promise<string>;
  /**
   * Creates an ingestion of the files that failed in this one or were still pending when it ended. Files that an
   * earlier retry has read are skipped, and so are files for which a newer document of that name exists. A retry
   * of a retry counts as another retry of the first upload. While a retry is running, no other is created.
   *
   * @returns the id of the new or running retry; undefined when there is no such ingestion
   * @throws AlfredError `ingestion_running`, `ingestion_without_failures`, `file_bytes_gone`
   */
  retryIngestion(scope: Scope, ingestionId: string): Promise<string | undefined>;
  /** Deletes the bytes of unread files that can no longer be retried. @returns how many files */
  deleteExpiredFiles(limit: number): Promise<number>;
  /** Collection, readers and tags of an ingestion's files. */
  getPlacement(scope: Scope, ingestionId: string): Promise<Placement>;
  getIngestion(scope: Scope, ingestionId: string): Promise<Omit<Ingestion, 'links'> | undefined>;
  listPendingFiles(scope: Scope, ingestionId: string, limit: number): Promise<PendingFile[]>;
  /** When the oldest file that is still pending was uploaded, over all tenants. */
  pendingSince(): Promise<Date | undefined>;
  /** The bytes of an uploaded file; undefined when they are not stored (any more). */
  readFile(scope: Scope, hash: ContentHash): Promise<Uint8Array | undefined>;
  /** Records what became of an uploaded file. The first outcome counts. */
  recordFileOutcome(scope: Scope, upload: UploadRef, outcome: FileOutcome): Promise<void>;
  /**
   * Ends a running ingestion. The first end counts. Files that are still pending are not read any more.
   *
   * @param options.keepFiles whether the bytes of the pending files are kept for a retry; default true
   * @returns whether the ingestion was running
   */
  endIngestion(
    scope: Scope,
    ingestionId: string,
    status: 'completed' | 'failed' | 'cancelled',
    options?: { keepFiles?: boolean },
  ): Promise<boolean>;
  /** A page of the ingestions, of all tenants, that have been running for longer than `olderThanMs`, ordered by id. */
  listOpenIngestions(options: {
    olderThanMs: number;
    after: string | undefined;
    limit: number;
  }): Promise<(Scope & { ingestionId: string; createdAt: Date })[]>;
}

/** Collections of documents. Their settings belong to the tenant; what a subject sees of them depends on its rights. */
export interface Collections {
  /** Collections with a document that the subject may read, and collections with settings, ordered by name. */
  list(scope: Scope, query: CollectionListQuery): Promise<{ collections: Collection[]; nextCursor: string | null }>;
  get(scope: Scope, name: string): Promise<Collection | undefined>;
  /** Stores settings. Idempotent. Existing documents keep their chunks until they are added or synced again. */
  set(scope: Scope, name: string, settings: Chunking): Promise<Collection>;
}
