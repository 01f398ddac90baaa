import type { Collection } from '../../../contract/collections.ts';
import type { Document, DocumentText, Ingestion, SearchResult } from '../../../contract/documents.ts';
import type { IngestionEvent } from '../../../contract/ingestion-events.ts';
import type { Source } from '../../../contract/sources.ts';
import { answers, callback, ids, sends, temporal, times, type OperationExamples } from './shared.ts';

const name = 'policies/expenses.md';
const text = '# Expenses\n\nExpense reports are due within 30 days from the end of the trip.\n';
const passage = 'Expense reports are due within 30 days from the end of the trip.';
const contentHash = '9f2c6a1b0d3e5f7081928374655647382910a0b1c2d3e4f5061728394a5b6c7d';

const document: Document = {
  id: ids.document,
  name,
  title: 'Expenses',
  mediaType: 'text/markdown',
  notice: null,
  contentHash,
  sizeBytes: text.length,
  characters: text.length,
  chunks: 1,
  collection: 'policies',
  readers: ['everyone'],
  owner: 'local',
  origin: null,
  tags: ['finance'],
  language: 'en',
  version: 1,
  createdAt: times.asked,
  updatedAt: times.asked,
};

const documentText: DocumentText = {
  documentId: ids.document,
  version: 1,
  contentHash,
  start: 0,
  end: text.length,
  characters: text.length,
  text,
};

const running: Ingestion = {
  id: ids.ingestion,
  status: 'running',
  outcome: null,
  files: 1,
  counts: { pending: 1, added: 0, replaced: 0, unchanged: 0, failed: 0 },
  failures: [],
  sameContent: [],
  retryOf: null,
  createdAt: times.asked,
  endedAt: null,
  links: {
    self: `/v1/ingestions/${ids.ingestion}`,
    events: `/v1/ingestions/${ids.ingestion}/events`,
    temporal: temporal('workflows', `ingestion/${ids.ingestion}`),
  },
};
export const endedIngestion: Ingestion = {
  ...running,
  status: 'completed',
  outcome: 'all',
  counts: { ...running.counts, pending: 0, added: 1 },
  endedAt: times.ended,
};

const events: IngestionEvent[] = [
  { seq: 1, at: times.asked, type: 'ingestion.queued', data: { files: 1 } },
  { seq: 2, at: times.began, type: 'file.read', data: { file: 0, name, state: 'added', documentId: ids.document } },
];

const collection: Collection = {
  name: 'policies',
  settings: { chunkTokens: 400, overlapTokens: 60 },
  documents: 1,
  chunks: 1,
  outdated: 0,
};

const found: SearchResult = {
  passages: [
    {
      chunkId: '5d1f0c9e2b7a4e63',
      documentId: ids.document,
      document: name,
      title: 'Expenses',
      headingPath: ['Expenses'],
      page: null,
      contentHash,
      version: 1,
      text: passage,
      start: 12,
      end: 12 + passage.length,
      score: 0.91,
      scores: {
        lexical: { rank: 1, score: 4.2 },
        dense: { rank: 1, score: 0.83 },
        fused: { rank: 1, score: 0.032 },
        sentence: { rank: 1, score: 0.91 },
        rerank: null,
      },
      coverage: 1,
      match: 'close',
      highlights: [{ start: 12, end: 12 + passage.length, score: 0.91 }],
    },
  ],
  evidence: 'strong',
  evidenceReason: 'The best passage holds all words of the question.',
  answerable: true,
  mode: 'hybrid',
  indexVersion: 'embedded-3',
};

const address = 'https://www.example.com/handbook.html';
const source: Source = {
  id: ids.source,
  kind: 'web',
  address,
  options: {},
  collection: 'handbook',
  readers: null,
  tags: null,
  everyS: 86_400,
  sync: {
    state: 'queued',
    counts: { pending: 0, added: 0, replaced: 0, unchanged: 0, failed: 0, gone: 0, removed: 0 },
    error: null,
    requestedAt: times.asked,
    startedAt: null,
    endedAt: null,
  },
  failures: [],
  createdAt: times.asked,
  links: { self: `/v1/sources/${ids.source}`, temporal: temporal('workflows', `source/${ids.source}`) },
};

export const documentExamples: Record<string, OperationExamples> = {
  uploadDocuments: {
    body: sends({ name, text }),
    parameters: { collection: 'policies', tags: ['finance'], readers: ['everyone'], replace: false },
    responses: { ...answers(200, endedIngestion), ...answers(202, running) },
  },
  listDocuments: {
    parameters: { collection: 'policies' },
    responses: answers(200, { documents: [document], nextCursor: null }),
  },
  getDocument: { responses: answers(200, document) },
  readDocumentText: {
    parameters: { start: 0 },
    responses: { 200: { 'text/plain': text, 'application/json': documentText } },
  },
  deleteDocument: {},
  searchDocuments: {
    body: sends({ query: 'When is an expense report due?', limit: 5, collections: ['policies'] }),
    responses: answers(200, found),
  },
  getIngestion: { responses: answers(200, endedIngestion) },
  retryIngestion: {
    responses: {
      ...answers(200, { ...endedIngestion, retryOf: ids.ingestion }),
      ...answers(202, { ...running, retryOf: ids.ingestion }),
    },
  },
  followIngestion: { responses: { 200: { 'text/event-stream': events[1] } } },
  listIngestionEvents: { responses: answers(200, { events, lastSeq: 2, nextCursor: '2' }) },
  getIngestionCallback: { responses: answers(200, callback) },
  repeatIngestionCallback: { responses: answers(202, { ...callback, state: 'waiting', deliveries: 2 }) },
  listCollections: { responses: answers(200, { collections: [collection], nextCursor: null }) },
  getCollection: { parameters: { name: 'policies' }, responses: answers(200, collection) },
  setCollection: {
    parameters: { name: 'policies' },
    body: sends({ chunkTokens: 400, overlapTokens: 60 }),
    responses: answers(200, { ...collection, outdated: 1 }),
  },
  createSource: { body: sends({ address, collection: 'handbook', everyS: 86_400 }), responses: answers(201, source) },
  listSources: { parameters: { of: 'own' }, responses: answers(200, { sources: [source], nextCursor: null }) },
  getSource: { responses: answers(200, source) },
  changeSource: { body: sends({ everyS: 3_600 }), responses: answers(200, { ...source, everyS: 3_600 }) },
  syncSource: { responses: answers(202, source) },
  deleteSource: { parameters: { documents: 'remove' } },
};
