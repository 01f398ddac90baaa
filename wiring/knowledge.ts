import { join } from 'node:path';
import { createParser } from './parser.ts';
import { createCollections } from '../knowledge/store/collections.ts';
import { createDocuments } from '../knowledge/store/documents.ts';
import { createSources } from '../knowledge/store/sources.ts';
import { createTaskCitations } from '../knowledge/store/task-citations.ts';
import { createVectors } from '../knowledge/store/vectors.ts';
import { createEmbeddings } from '../knowledge/embeddings/embeddings.ts';
import { reportMissingModel } from '../knowledge/embeddings/report-missing-model.ts';
import { createEmbeddedIndex } from '../knowledge/search/embedded/embedded-index.ts';
import { measureIndex } from '../knowledge/search/measure-index.ts';
import { createQdrantIndex, qdrantSettings } from '../knowledge/search/qdrant/qdrant-index.ts';
import { readPassages } from '../knowledge/search/read-passages.ts';
import { createReranker } from '../knowledge/search/rerank/create-reranker.ts';
import { rateCandidates, type SentenceQuery } from '../knowledge/search/sentences/rate-candidates.ts';
import { createSearch } from '../knowledge/search/search.ts';
import { createSourceReaders } from '../knowledge/sources/source-readers.ts';
import type { DocumentParser, Embeddings, SheetReader } from '../contract/ports/index.ts';
import type { Scope } from '../contract/references.ts';
import type { Edge } from '../runtime/edge.ts';
import { createFolderCheck } from '../runtime/folder-check.ts';

type KnowledgeEdge = Pick<Edge, 'config' | 'log' | 'postgres'> & Partial<Pick<Edge, 'metrics' | 'readiness'>>;

/** Documents, where they come from, and the search over them. Connects to nothing until it is used. */
export function createKnowledge({ config, log, postgres: { db }, metrics, readiness }: KnowledgeEdge) {
  const files = createParser(config);
  const parser: DocumentParser & { close(): Promise<void> } = files;
  const sheets: SheetReader = files;
  const recognises = config.ALFRED_OCR !== 'off';
  const configured = createEmbeddings(config, log);
  const embeddings: Embeddings = configured;
  const model = async () => (await embeddings.embedder())?.model ?? '';
  const indexDir = join(config.ALFRED_DATA_DIR, 'index');
  const passages = config.QDRANT_URL
    ? createQdrantIndex({ db, log, model, ...qdrantSettings(config, config.QDRANT_URL) })
    : createEmbeddedIndex({ db, dir: indexDir, log, model });
  if (metrics) measureIndex({ index: passages, metrics, log });
  if (metrics && readiness) reportMissingModel({ embeddings: configured, log, metrics, readiness });
  const reranker = createReranker(config, log);
  const index = createSearch({ db, index: passages, embeddings, reranker, log, metrics });
  const sourceReaders = createSourceReaders(config);
  return {
    documents: createDocuments(db, { recognises }),
    collections: createCollections(db),
    citations: createTaskCitations(db),
    vectors: createVectors(db),
    sources: createSources(db, { recognises }),
    sourceReaders,
    parser,
    sheets,
    embeddings,
    passages,
    /** Checks that this process can write its search index; undefined when the index is on a server. */
    checkIndexFolder: config.QDRANT_URL ? undefined : createFolderCheck(indexDir, 'ALFRED_DATA_DIR'),
    /** Passages that a subject may read, by the ids of their chunks. */
    readPassages: (scope: Scope, chunkIds: string[]) => readPassages(db, scope, chunkIds),
    /** Compares a query with the sentences of candidates, as a search does. */
    rateCandidates: (scope: Scope, query: SentenceQuery, chunkIds: string[]) =>
      rateCandidates(db, scope, query, chunkIds),
    reranker,
    index,
    close: async () => {
      sourceReaders.close();
      await Promise.all([index.close(), parser.close()]);
    },
  };
}
