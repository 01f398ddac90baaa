import { stat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { percentile } from '../../cli/eval/measures.ts';
import { createEmbeddedIndex } from '../../knowledge/search/embedded/embedded-index.ts';
import { createSearch } from '../../knowledge/search/search.ts';
import { loadConfig } from '../../runtime/config.ts';
import { openPostgres, type Database } from '../../runtime/database/postgres.ts';
import { createGeneratedCorpus, type GeneratedCorpus } from './generated-corpus.ts';
import { toMegabytes, runConcurrently } from './measure.ts';
import { startDatabase, type Surroundings } from './servers.ts';

const scope = { tenant: 'bench', subject: 'bench' };
const model = 'generated@1';
const concurrency = 4;
const questionCount = 400;

/**
 * Measures searches of generated passages by words and vectors, with the product's own search. The vector of a question
 * is given: the time of an embedding model is not included.
 */
export async function measureSearches({ count, ...surroundings }: { count: number } & Surroundings) {
  const { dir, log, cleanups } = surroundings;
  const server = await startDatabase(surroundings);
  const postgres = openPostgres(loadConfig({ DATABASE_URL: server.url, ALFRED_DATA_DIR: dir }), log);
  cleanups.push(() => postgres.close());
  const { db } = postgres;
  const corpus = createGeneratedCorpus(1);
  console.log(`\n${count} passages of generated text, vectors of ${corpus.dimensions} numbers`);
  await printDuration('stored in Postgres', () => storePassages(db, corpus, count));

  const index = createEmbeddedIndex({ db, dir: join(dir, 'index'), log, model: async () => model });
  let questionVector = new Float32Array(0);
  const embedder = {
    model,
    evidence: undefined,
    close: async () => {},
    embedPassages: async () => [],
    embedQuery: async () => questionVector,
  };
  const stages: Record<string, number[]> = {};
  const metrics = {
    searchStages: {
      observe({ stage }: { stage: string }, seconds: number) {
        (stages[stage] ??= []).push(seconds * 1_000);
      },
    },
    searchDuration: { observe: () => {} },
    searchCache: { inc: () => {} },
  } as unknown as NonNullable<Parameters<typeof createSearch>[0]['metrics']>;
  const embeddings = { embedder: async () => embedder, close: async () => {} };
  const search = createSearch({ db, index, embeddings, log, metrics });
  cleanups.push(() => search.close());
  const ask = async () => {
    const { text, vector } = corpus.question();
    questionVector = vector;
    const startedAtMs = performance.now();
    await search.search(scope, { query: text, limit: 6 });
    return performance.now() - startedAtMs;
  };
  const residentBefore = process.memoryUsage.rss();
  await printDuration('index built, and the first question answered', ask);
  await runConcurrently(40, concurrency, ask);
  for (const atOnce of [1, concurrency]) {
    for (const times of Object.values(stages)) times.length = 0;
    const { results, seconds } = await runConcurrently(questionCount, atOnce, ask);
    console.log(
      `  ${atOnce} at once: p50 ${percentile(results, 0.5).toFixed(1)} ms, p95 ${percentile(results, 0.95).toFixed(1)} ms, p99 ${percentile(results, 0.99).toFixed(1)} ms, ${(questionCount / seconds).toFixed(0)} a second`,
    );
  }
  for (const [stage, times] of Object.entries(stages))
    console.log(
      `  ${stage}: p50 ${percentile(times, 0.5).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms`,
    );
  console.log(
    `  resident ${toMegabytes(process.memoryUsage.rss())} MB (${toMegabytes(residentBefore)} before the index was open)`,
  );
  console.log(`  index files ${toMegabytes(await sizeOf(join(dir, 'index')))} MB`);
  console.log(
    `  of the ten nearest by exact comparison ${(await measureRecall(index, corpus, db)).toFixed(3)} are found`,
  );
}

async function printDuration(label: string, work: () => Promise<unknown>) {
  const startedAtMs = performance.now();
  await work();
  console.log(`  ${label}: ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`);
}

/** Inserts documents of ten passages each, with the rows that an upload leaves. */
async function storePassages(db: Database, corpus: GeneratedCorpus, count: number) {
  const perDocument = 10;
  const batchSize = 200;
  for (let first = 0; first < count / perDocument; first += batchSize) {
    const documents = Array.from({ length: Math.min(batchSize, count / perDocument - first) }, () =>
      crypto.randomUUID(),
    );
    await sql`
      insert into documents (id, tenant, subject, name, title, media_type, content_hash, size_bytes, text, characters, chunk_count)
      select d::uuid, ${scope.tenant}, ${scope.subject}, d, 'Generated', 'text/plain', d, 0, '', 0, ${perDocument}
      from unnest(${documents}::text[]) d`.execute(db);
    const passages = documents.flatMap((id) =>
      Array.from({ length: perDocument }, (_, ordinal) => ({
        id: `${id}.${ordinal}`,
        document: id,
        ordinal,
        ...corpus.passage(),
      })),
    );
    await sql`
      insert into chunks (id, document_id, ordinal, heading_path, page, text, start_at, end_at)
      select id, document::uuid, ordinal, '{}', null, text, 0, length(text)
      from json_to_recordset(${JSON.stringify(passages.map(({ vector: _, ...passage }) => passage))})
        as p (id text, document text, ordinal int, text text)`.execute(db);
    await sql`
      insert into embeddings (tenant, model, hash, vector)
      select ${scope.tenant}, ${model}, c.embed_hash, v.vector
      from unnest(${passages.map(({ id }) => id)}::text[], ${passages.map(({ vector }) => Buffer.from(vector.buffer))}::bytea[]) v (id, vector)
        join chunks c on c.id = v.id on conflict do nothing`.execute(db);
    await sql`
      insert into document_changes (tenant, document_id) select ${scope.tenant}, d::uuid from unnest(${documents}::text[]) d`.execute(
      db,
    );
  }
  await sql`analyze`.execute(db);
}

/** @returns the share of the ten nearest passages, by exact comparison of vectors, that the index finds */
async function measureRecall(index: ReturnType<typeof createEmbeddedIndex>, corpus: GeneratedCorpus, db: Database) {
  const rows = await sql<{ id: string; vector: Buffer }>`
    select c.id, e.vector from chunks c join embeddings e on e.hash = c.embed_hash`.execute(db);
  const vectors = rows.rows.map(({ id, vector }) => ({
    id,
    numbers: new Float32Array(vector.buffer.slice(vector.byteOffset, vector.byteOffset + vector.byteLength)),
  }));
  let found = 0;
  const sampleSize = 20;
  for (let i = 0; i < sampleSize; i++) {
    const { text, vector } = corpus.question();
    const exact = vectors
      .map(({ id, numbers }) => ({ id, score: numbers.reduce((sum, x, k) => sum + x * (vector[k] ?? 0), 0) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 10);
    const { dense } = await index.find(scope, { principals: ['everyone'] }, { text, vector }, 100);
    const nearest = new Set(dense.slice(0, 10).map(({ chunkId }) => chunkId));
    found += exact.filter(({ id }) => nearest.has(id)).length;
  }
  return found / (sampleSize * 10);
}

async function sizeOf(dir: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(dir, { recursive: true })) bytes += (await stat(join(dir, name))).size;
  return bytes;
}
