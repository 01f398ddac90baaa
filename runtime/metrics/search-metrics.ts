import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { shortDurations } from './buckets.ts';

/** The search index of this process, and searches. */
export const createSearchMetrics = (registers: Registry[]) => ({
  indexPassages: new Gauge({
    name: 'index_passages',
    help: 'Passages in the search index of this process',
    labelNames: ['index'],
    registers,
  }),
  indexVectors: new Gauge({
    name: 'index_vectors',
    help: 'Passages with a vector in the search index of this process',
    labelNames: ['index'],
    registers,
  }),
  indexBytes: new Gauge({
    name: 'index_size_bytes',
    help: 'Size of the search index of this process, where it is known',
    labelNames: ['index'],
    registers,
  }),
  searchDuration: new Histogram({
    name: 'search_duration_seconds',
    help: 'One search in the documents',
    buckets: shortDurations,
    registers,
  }),
  searchStages: new Histogram({
    name: 'search_stage_duration_seconds',
    help: 'Stages of a search: embed the query, candidates from the index, rerank, read from Postgres',
    labelNames: ['stage'],
    buckets: shortDurations,
    registers,
  }),
  searchCache: new Counter({
    name: 'search_query_vectors_total',
    help: 'Vectors of queries, by whether they were known',
    labelNames: ['outcome'],
    registers,
  }),
  embeddingModelMissing: new Gauge({
    name: 'embedding_model_missing',
    help: '1 while a local embedding model is configured and not on this machine: searches go by words alone',
    registers,
  }),
  searchReranks: new Counter({
    name: 'search_reranks_total',
    help: 'Searches with a reranker, by what it did: done, busy, late, resting, missing, or how it failed',
    labelNames: ['outcome'],
    registers,
  }),
  chunksEmbedded: new Counter({
    name: 'chunks_embedded_total',
    help: 'Texts of documents that were embedded',
    registers,
  }),
});
