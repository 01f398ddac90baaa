import type { Callback } from '../callback.ts';
import type { Document, DocumentList, DocumentListQuery, Ingestion, Placement } from '../documents.ts';
import type { Chunking } from '../chunking.ts';
import type { Collection, CollectionListQuery } from '../collections.ts';
import type { ErrorCode } from '../errors.ts';
import type { IngestionEvent } from '../ingestion-events.ts';
import type { Requester } from '../principal.ts';
import type { ContentHash, DocumentReach, Scope, SourceRef } from '../references.ts';

/**
 * The part of a document that is embedded and found by searches. `text` is the document's text from `start` to `end`
 * (UTF-16 code units, `end` excluded). `page` is null for formats without pages.
 */
export type Chunk = { headingPath: string[]; page: number | null; text: string; start: number; end: number };

/** `language` is an ISO 639-1 code, or null when the language could not be detected reliably. */
export type ParsedDocument = {
  title: string;
  text: string;
  language: string | null;
  chunks: Chunk[];
  /** What was left out, in sentences for people. */
  notes?: string[];
  /** What the file was read as. Absent: as it was declared. */
  mediaType?: string | undefined;
  /** For people: that the content is not what the name or the sender claimed. */
  notice?: string | undefined;
  /** Whether it may have text in pictures that were not read, because text recognition is off. */
  unreadPictures?: boolean | undefined;
};

export type FileToParse = {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
  /**
   * Where the content leaves it open: true: the media type decides what kind of file this is, and the name's extension
   * only when the media type is unknown. False, the default: the extension before the media type.
   */
  typeDecides?: boolean | undefined;
  /** How the text is cut into chunks. Default: `defaultChunking`. */
  chunking?: Chunking | undefined;
};

export interface DocumentParser {
  /** Reads a file's text and cuts the text into chunks. @throws AlfredError `file_*` with the reason */
  parse(file: FileToParse, signal: AbortSignal): Promise<ParsedDocument>;
}

/** A server that reads the text of pictures. */
export interface TextRecogniser {
  /** Reads the text of a picture (PNG, JPEG or TIFF). @throws AlfredError with the reason */
  recognise(picture: Uint8Array, signal: AbortSignal): Promise<string>;
}

export type UploadedFile = { name: string; mediaType: string; bytes: Uint8Array };

/** An uploaded file that is still to be read. `ordinal` is its position among the uploaded files, from 0. */
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
   * Parses the file and cuts the text as the collection wants. Not called when neither content nor chunking changed.
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

  /** Reads a document with its whole text. The offsets of passages (UTF-16 code units) refer to this text. */
  read(scope: Scope, documentId: string): Promise<{ document: Document; text: string } | undefined>;

  /**
   * Reads a document with the bytes that it was read from. `bytes` is undefined when only its text is kept, as of
   * documents that a source brought.
   */
  readOriginal(
    scope: Scope,
    documentId: string,
  ): Promise<{ document: Document; bytes: Uint8Array | undefined } | undefined>;

  /** Lists the documents of exactly this name, the newest first, ten at most. */
  findByName(scope: Scope, name: string): Promise<Document[]>;

  /** Deletes a document within reach. @returns whether there was such a document */
  delete(reach: DocumentReach, documentId: string): Promise<boolean>;

  /** Lists the tenants that have documents. */
  listTenants(): Promise<string[]>;

  /**
   * Adds a document, or replaces the one of the same name in the collection. The subject changes its own documents.
   * Those of others that it may read are changed by an upload whose sender has a role for that. What the subject may
   * not read plays no part: two owners may have documents of one name.
   *
   * When content and chunking are the same as before, nothing is parsed and no chunk is written. Otherwise only the
   * chunks that differ are replaced, in one transaction, so a reader sees either the old version or the new one. A
   * replaced document keeps its owner.
   *
   * @throws AlfredError `document_not_yours` when the subject may read the document of that name and not change it;
   *   `file_name_taken` when it came from another origin; `not_found` when the source was deleted
   */
  put(scope: Scope, document: DocumentToStore): Promise<FileOutcome>;

  /**
   * Stores the files' bytes without parsing them.
   *
   * @param callback where the end of the ingestion is reported
   * @returns the ingestion's id
   */
  createIngestion(
    principal: Requester,
    files: UploadedFile[],
    placement: Placement,
    callback?: Callback,
  ): Promise<string>;

  /**
   * Creates a second ingestion of the files that failed in the given ingestion, or that were pending when it ended. It
   * skips files that an earlier retry has read, and files for which a newer document of the same name exists. The
   * retry of a retry counts as another retry of the first upload. While a retry is running, no other is created. A
   * retry has the callback of the first upload.
   *
   * @returns the id of the new or running retry; undefined when there is no such ingestion
   * @throws AlfredError `ingestion_running`, `ingestion_without_failures`, `file_bytes_gone`
   */
  retryIngestion(scope: Scope, ingestionId: string): Promise<string | undefined>;

  /** Deletes the bytes of unread files that can no longer be retried. @returns how many files */
  deleteExpiredFiles(limit: number): Promise<number>;

  /** Reads the collection, readers and tags that an ingestion's files get. */
  getPlacement(scope: Scope, ingestionId: string): Promise<Placement>;

  getIngestion(scope: Scope, ingestionId: string): Promise<Omit<Ingestion, 'links'> | undefined>;

  listPendingFiles(scope: Scope, ingestionId: string, limit: number): Promise<PendingFile[]>;

  /** Reads the upload time of the oldest pending file of all tenants. @returns undefined when no file is pending */
  pendingSince(): Promise<Date | undefined>;

  /** Reads the bytes of an uploaded file. @returns undefined when they are not stored, or no longer */
  readFile(scope: Scope, hash: ContentHash): Promise<Uint8Array | undefined>;

  /** Records what became of an uploaded file. The first outcome counts. */
  recordFileOutcome(scope: Scope, upload: UploadRef, outcome: FileOutcome): Promise<void>;

  /**
   * Ends a running ingestion. The first end counts. Files that are still pending are not read any more.
   *
   * @param options.isKnown whether its sender knows of it: then the bytes of the pending files are kept for a retry,
   *   and its callback is called; default true
   * @returns whether the ingestion was running
   */
  endIngestion(
    scope: Scope,
    ingestionId: string,
    status: 'completed' | 'failed' | 'cancelled',
    options?: { isKnown?: boolean },
  ): Promise<boolean>;

  /**
   * Lists ingestions of all tenants that have been running for longer than `olderThanMs`.
   *
   * @returns a page of at most `limit` ingestions in the order of their ids, which starts after the id `after`
   */
  listOpenIngestions(options: {
    olderThanMs: number;
    after: string | undefined;
    limit: number;
  }): Promise<(Scope & { ingestionId: string; createdAt: Date })[]>;
}

/** The numbered events of an upload: what became of each file, and its end. */
export interface IngestionEvents {
  /** Reads at most `limit` events, from the one after number `after` on. */
  read(scope: Scope, ingestionId: string, after: number, limit: number): Promise<IngestionEvent[]>;

  /** Yields all events after number `after`, and waits for more. Ends after the last event, or on abort. */
  follow(scope: Scope, ingestionId: string, after: number, signal: AbortSignal): AsyncIterable<IngestionEvent[]>;

  /** Reads the number of the newest event. @returns undefined when there is no such upload */
  lastSeq(scope: Scope, ingestionId: string): Promise<number | undefined>;

  /** Resolves when the upload has ended or does not exist, or on abort. */
  waitForEnd(ingestionId: string, signal: AbortSignal): Promise<void>;
}

/**
 * Collections of documents. The settings of a collection belong to the tenant. Which of its documents a subject sees
 * depends on the subject's rights.
 */
export interface Collections {
  /** Lists the collections that have settings or a document that the subject may read, in the order of their names. */
  list(scope: Scope, query: CollectionListQuery): Promise<{ collections: Collection[]; nextCursor: string | null }>;

  get(scope: Scope, name: string): Promise<Collection | undefined>;

  /** Stores a collection's settings. Existing documents keep their chunks until they are added or synced again. */
  set(scope: Scope, name: string, settings: Chunking): Promise<Collection>;
}
