import { z } from 'zod';
import { Callback } from './callback.ts';
import { NextCursor, pageQuery } from './paging.ts';
import { Readers } from './readers.ts';
import { slackCollection } from './rules/attached-files.ts';
import { TaskError } from './task.ts';

export const DocumentName = z
  .string()
  .trim()
  .min(1)
  .max(512)
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'must not contain control characters')
  .describe('Path or title; a second upload of yours under the same name replaces the first');

const Name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f,]+$/, 'must not contain commas or control characters');

export const CollectionName = Name.describe('In each collection you have one document of a name');
/** Where people and sources put documents: not where a file of Slack could find its name taken. */
export const UploadCollection = CollectionName.refine(
  (name) => name !== slackCollection,
  'is for files of messages in Slack: name another collection',
);
export const Tags = z.array(Name).max(20);

const Origin = z
  .string()
  .trim()
  .min(1)
  .max(1_000)
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'must not contain control characters');

/** The collection, readers and tags of documents. A missing field stays as it is. */
export const Placement = z.strictObject({
  collection: UploadCollection.default('default'),
  readers: Readers.optional().describe(
    'Who may read them beside the person who adds them: everyone, group:<name>, subject:<id>; empty for no one. Default: everyone, and for a document that is there already, as it is',
  ),
  tags: Tags.optional().describe('Words to search by; they take the place of those that a document has'),
  origin: Origin.optional().describe(
    'Where the names begin, in words of your own, like `laptop:/home/ann`. A document that came from another origin is not replaced by other content: the file is refused (`file_name_taken`)',
  ),
  replace: z
    .boolean()
    .optional()
    .describe(
      'true: take the place of documents that came from another `origin`, and, with the role `developer` or `admin`, of those that another person added',
    ),
});
export type Placement = z.infer<typeof Placement>;

/** `Placement` in a query string. There a list is one string with commas, and an empty string is an empty list. */
export const PlacementQuery = Placement.extend({
  readers: z.preprocess(splitList, Placement.shape.readers),
  tags: z.preprocess(splitList, Placement.shape.tags),
  replace: z.preprocess(readBoolean, Placement.shape.replace),
});

function readBoolean(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

function splitList(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value === '' ? [] : value.split(',');
}

/** An upload of one text as JSON. An upload as multipart/form-data takes any number of files instead. */
export const DocumentUpload = z.strictObject({
  name: DocumentName,
  text: z.string().min(1).max(16_000_000),
  mediaType: z.enum(['text/markdown', 'text/plain', 'text/html']).default('text/markdown'),
  callback: Callback.optional().describe('Tells a server of yours when the upload has been read'),
});
export type DocumentUpload = z.infer<typeof DocumentUpload>;

export const Document = z.object({
  id: z.uuid(),
  name: z.string(),
  title: z.string(),
  mediaType: z.string().describe('What it was read as, by its content'),
  notice: z
    .string()
    .nullable()
    .default(null)
    .describe('Present when the content is not what the name or the sender claimed; the content decided'),
  contentHash: z.string().describe('SHA-256 of the file'),
  sizeBytes: z.int().nonnegative(),
  characters: z.int().nonnegative().describe('Length of the text that was read from it'),
  chunks: z.int().nonnegative(),
  collection: z.string(),
  readers: z.array(z.string()).describe('Who may read it beside its owner'),
  owner: z.string().describe('The subject who added it'),
  origin: z
    .string()
    .nullable()
    .default(null)
    .describe('Where it came from, in the words of the person or program that added it'),
  tags: z.array(z.string()),
  language: z.string().nullable().describe('ISO 639-1; null where it is not known'),
  version: z.int().positive().describe('Counts the contents that stood under this name'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Document = z.infer<typeof Document>;

/** At most this many characters of a document's text come in one answer. */
export const maxTextRange = 2_000_000;

const offset = z.coerce.number().int().nonnegative().max(2_147_483_647);

export const DocumentTextQuery = z.strictObject({
  version: z.coerce.number().int().positive().max(2_147_483_647).optional().describe('Only this version of it'),
  start: offset.default(0).describe('In UTF-16 code units, as `start` of a citation'),
  end: offset.optional().describe('The first character that is left out; default and at most the end of the text'),
});
export type DocumentTextQuery = z.infer<typeof DocumentTextQuery>;

/** A document's text, or a part of it. `text` is the document's text at [start, end), in UTF-16 code units. */
export const DocumentText = z.object({
  documentId: z.uuid(),
  version: z.int().positive(),
  contentHash: z.string().describe('SHA-256 of the file'),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  characters: z.int().nonnegative().describe('Length of the whole text'),
  text: z.string(),
});
export type DocumentText = z.infer<typeof DocumentText>;

export const DocumentListQuery = z.strictObject({
  collection: z.string().min(1).max(100).optional().describe('Only documents of this collection'),
  ...pageQuery({ usual: 100, most: 500 }),
});
export type DocumentListQuery = z.infer<typeof DocumentListQuery>;
export const DocumentList = z.object({ documents: z.array(Document), nextCursor: NextCursor });
export type DocumentList = z.infer<typeof DocumentList>;

export const ingestedStates = ['pending', 'added', 'replaced', 'unchanged', 'failed'] as const;
export const IngestedFile = z.object({
  name: z.string(),
  state: z.enum(ingestedStates),
  documentId: z.uuid().nullable(),
  error: TaskError.nullable(),
});
export type IngestedFile = z.infer<typeof IngestedFile>;

/** Whether the files of an upload were read: all of them, some, or none. */
export const IngestionOutcome = z.enum(['all', 'some', 'none']);
export type IngestionOutcome = z.infer<typeof IngestionOutcome>;

/** A file of which a document of another name has the same content. */
const SameContent = z.object({ name: z.string(), as: z.string().describe('The name of the other document') });

/** The state of one upload: how many of its files have been read, and which failed. */
export const Ingestion = z.object({
  id: z.uuid(),
  status: z
    .enum(['running', 'completed', 'failed', 'cancelled'])
    .describe('Whether the work is over; `outcome` says whether the files were read'),
  outcome: IngestionOutcome.nullable()
    .default(null)
    .describe(
      'all: every file was read; some: `failures` and `counts.pending` say which were not; none; null while it runs',
    ),
  files: z.int().nonnegative(),
  counts: z.object({ pending: z.int(), added: z.int(), replaced: z.int(), unchanged: z.int(), failed: z.int() }),
  failures: z
    .array(IngestedFile)
    .describe('Every file that could not be read, with the reason; its bytes are kept for a week, for a retry'),
  sameContent: z
    .array(SameContent)
    .default([])
    .describe(
      'When it has ended: files that were added although their content is there under another name; at most 20',
    ),
  retryOf: z.uuid().nullable().describe('The upload of whose files these were not read'),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  links: z.object({ self: z.string(), events: z.string().optional(), temporal: z.string() }),
});
export type Ingestion = z.infer<typeof Ingestion>;

/** How many passages a search gives when its request names no number. */
export const defaultPassages = 10;

export const SearchRequest = z.strictObject({
  query: z.string().trim().min(1).max(2_000),
  limit: z.int().min(1).max(50).default(defaultPassages),
  collections: z.array(z.string().min(1).max(100)).min(1).max(50).optional().describe('Only documents of these'),
  tags: z.array(z.string().min(1).max(100)).min(1).max(20).optional().describe('Only documents that carry all of them'),
  language: z
    .string()
    .regex(/^[a-z]{2}$/, 'expected an ISO 639-1 code like en')
    .optional(),
  updatedFrom: z.iso.datetime({ offset: true }).optional().describe('Only documents that changed then or later'),
  updatedTo: z.iso.datetime({ offset: true }).optional().describe('Only documents that changed then or earlier'),
});
export type SearchRequest = z.infer<typeof SearchRequest>;

/** A passage's rank (from 1) and score in one list of results. Scores of different lists are not comparable. */
export const Rank = z.object({ rank: z.int().positive(), score: z.number() });
export type Rank = z.infer<typeof Rank>;

/** A chunk that a search found. `start` and `end` are offsets into the document's text, in UTF-16 code units. */
export const Passage = z.object({
  chunkId: z.string(),
  documentId: z.uuid(),
  document: z.string(),
  title: z.string(),
  headingPath: z.array(z.string()),
  page: z.int().positive().nullable(),
  contentHash: z.string(),
  version: z.int().positive().describe('Of the document'),
  text: z.string(),
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  score: z
    .number()
    .describe(
      'Higher is better; comparable within one answer only, and there among passages that the same stage has judged: the reranker, else the comparison of sentences, else fusion',
    ),
});
export type Passage = z.infer<typeof Passage>;

export const Highlight = z.object({
  start: z.int().nonnegative(),
  end: z.int().nonnegative(),
  score: z.number().describe('How near it comes to the query; comparable within one answer only'),
});

export const RankedPassage = Passage.extend({
  scores: z
    .object({
      lexical: Rank.nullable(),
      dense: Rank.nullable(),
      fused: Rank,
      sentence: Rank.nullable().default(null).describe('By its best sentence; null where sentences have no vectors'),
      rerank: Rank.nullable().describe('null where no reranker has judged it'),
    })
    .describe('Where the passage stood in each list; null where it was in none'),
  coverage: z.number().describe('Part of the question’s telling words that it holds, 0 to 1; rare words count more'),
  match: z.enum(['close', 'loose']).default('loose').describe('Whether it comes near to what was asked by itself'),
  highlights: z
    .array(Highlight)
    .default([])
    .describe('Its sentences, rows and list items that come nearest to the query, best first; offsets like `start`'),
});
export type RankedPassage = z.infer<typeof RankedPassage>;

/** Whether the passages speak of what was asked. Only a reader can tell whether they answer it. */
export const Evidence = z.enum(['strong', 'weak', 'none']);
export type Evidence = z.infer<typeof Evidence>;

/** A word of a query that no passage holds, and the word of the documents that was searched in its place. */
export const Correction = z.object({ from: z.string(), to: z.string() });
export type Correction = z.infer<typeof Correction>;

export const SearchResult = z.object({
  passages: z.array(RankedPassage),
  corrections: z
    .array(Correction)
    .optional()
    .describe('Words of the query that no passage holds, and the words that were searched in their place'),
  question: z.string().optional().describe('What was searched of a long query: the question in it'),
  unknownCodes: z
    .array(z.string())
    .optional()
    .describe('Codes of the query (`PPR-9087`) that no passage holds; `evidence` is weak at the most then'),
  evidence: Evidence.default('weak').describe(
    'How near the best passages come to what was asked, regardless of `limit`: strong, weak (they may be related), none (nothing is near)',
  ),
  evidenceReason: z.string().default('').describe('Why, in one sentence'),
  answerable: z.boolean().describe('A hint: whether `evidence` is strong'),
  mode: z.enum(['hybrid', 'lexical']).describe('lexical: by words alone, since no embedding model is at hand'),
  indexVersion: z.string().describe('Names how the index ranks; two answers of one version compare'),
});
export type SearchResult = z.infer<typeof SearchResult>;
