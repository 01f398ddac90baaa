import { Counter, type Registry } from 'prom-client';
import { createAgeGauge } from './age-gauge.ts';

/** Documents on their way into the index. */
export const createDocumentMetrics = (registers: Registry[]) => ({
  documentsIngested: new Counter({
    name: 'documents_ingested_total',
    help: 'Files read, by what became of them',
    labelNames: ['state'],
    registers,
  }),
  documentFailures: new Counter({
    name: 'document_failures_total',
    help: 'Files and items of sources that were given up',
    labelNames: ['code'],
    registers,
  }),
  chunksIngested: new Counter({
    name: 'chunks_ingested_total',
    help: 'Chunks of documents that were added or replaced',
    registers,
  }),
  knowledgeLag: createAgeGauge<'file' | 'vector' | 'index'>({
    name: 'knowledge_lag_seconds',
    help: 'Age of the oldest file to be read, text to be embedded, change that the index has not taken over',
    labelNames: ['of'],
    registers,
  }),
});
