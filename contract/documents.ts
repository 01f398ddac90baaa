import { z } from 'zod';
import { TaskError } from './task.ts';

export const DocumentName = z
  .string()
  .trim()
  .min(1)
  .max(512)
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'must not contain control characters')
  .describe('Path or title; a second upload under the same name replaces the first');

/** JSON form of an upload; multipart/form-data takes any number of files instead. */
export const DocumentUpload = z.strictObject({
  name: DocumentName,
  text: z.string().min(1).max(16_000_000),
  mediaType: z.enum(['text/markdown', 'text/plain', 'text/html']).default('text/markdown'),
});
export type DocumentUpload = z.infer<typeof DocumentUpload>;

export const Document = z.object({
  id: z.uuid(),
  name: z.string(),
  title: z.string(),
  mediaType: z.string(),
  contentHash: z.string().describe('SHA-256 of the file'),
  sizeBytes: z.int().nonnegative(),
  characters: z.int().nonnegative().describe('Length of the text that was read from it'),
  chunks: z.int().nonnegative(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Document = z.infer<typeof Document>;

export const DocumentListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().min(1).max(2048).optional(),
});
export type DocumentListQuery = z.infer<typeof DocumentListQuery>;
export const DocumentList = z.object({ documents: z.array(Document), nextCursor: z.string().nullable() });
export type DocumentList = z.infer<typeof DocumentList>;

export const ingestedStates = ['pending', 'added', 'replaced', 'unchanged', 'failed'] as const;
export const IngestedFile = z.object({
  name: z.string(),
  state: z.enum(ingestedStates),
  documentId: z.uuid().nullable(),
  error: TaskError.nullable(),
});
export type IngestedFile = z.infer<typeof IngestedFile>;

/** One upload on its way into the index. */
export const Ingestion = z.object({
  id: z.uuid(),
  status: z.enum(['running', 'completed', 'failed', 'cancelled']),
  files: z.int().nonnegative(),
  counts: z.object({ pending: z.int(), added: z.int(), replaced: z.int(), unchanged: z.int(), failed: z.int() }),
  failures: z.array(IngestedFile).describe('Every file that could not be read, with the reason'),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  links: z.object({ self: z.string(), temporal: z.string() }),
});
export type Ingestion = z.infer<typeof Ingestion>;

export const SearchRequest = z.strictObject({
  query: z.string().trim().min(1).max(2_000),
  limit: z.int().min(1).max(50).default(6),
});
export type SearchRequest = z.infer<typeof SearchRequest>;

/** One chunk that matches, as the index returns it. */
export const Passage = z.object({
  chunkId: z.string(),
  documentId: z.uuid(),
  document: z.string(),
  title: z.string(),
  headingPath: z.array(z.string()),
  page: z.int().positive().nullable(),
  contentHash: z.string(),
  text: z.string(),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  score: z.number().describe('BM25, higher is better; comparable within one answer only'),
});
export type Passage = z.infer<typeof Passage>;
export const SearchResult = z.object({ passages: z.array(Passage) });
export type SearchResult = z.infer<typeof SearchResult>;
