import { basename, resolve } from 'node:path';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import { defaultFusion, fuse, fusionName, type FusedCandidate, type Fusion } from '../../knowledge/search/fusion.ts';
import { rerankedOrder, rerankText } from '../../knowledge/search/rerank/candidate-order.ts';
import { embedMissing } from '../../activities/documents/embed-missing.ts';
import type { Corpus } from './beir.ts';
import { bootstrap, percentile, qualityOf, type Interval, type Quality } from './measures.ts';

const lists = ['lexical', 'dense', 'fused', 'reranked'] as const;
type List = (typeof lists)[number];
const measures = ['ndcg10', 'recall100', 'mrr'] as const satisfies (keyof Quality)[];

export type RetrievalReport = {
  documents: number;
  passages: number;
  queries: number;
  model: string | null;
  fusion: string;
  reranker: string | null;
  /** `reranked` where there is a reranker. */
  quality: Partial<Record<List, Record<keyof Quality, Interval>>>;
  /** Of one hybrid search, the embedding of the question included, a reranker left out. */
  ms: { p50: number; p95: number };
  /** Of the reranker, the reading of what it judges included. */
  rerankMs?: { p50: number; p95: number };
};

/** Length of the lists that are fused: enough that 100 documents are found among their passages. */
const depth = 200;

/**
 * Stores a test collection as documents of a tenant of its own, by the same way as any document, and searches it with
 * every question. What was stored and embedded stays for the next run, until `removeCorpus`.
 */
export async function evaluateRetrieval(
  adapters: Adapters,
  corpus: Corpus,
  { dir, say, fusion = defaultFusion }: { dir: string; say: (line: string) => void; fusion?: Fusion },
): Promise<RetrievalReport> {
  const scope = scopeOf(dir);
  await store(adapters, corpus, scope, say);
  const embedder = await adapters.embeddings.embedder();
  if (embedder) await embedAll(adapters, scope.tenant, say);
  const ids = await documentIds(adapters, scope);

  const scores: Record<List, Quality[]> = { lexical: [], dense: [], fused: [], reranked: [] };
  const times: number[] = [];
  const rerankTimes: number[] = [];
  for (const [i, { text, relevant }] of corpus.queries.entries()) {
    say(`${i} of ${corpus.queries.length} questions asked`);
    const begun = performance.now();
    const vector = await embedder?.embedQuery(text, AbortSignal.timeout(60_000));
    const found = await adapters.passages.find(scope, { principals: ['everyone'] }, { text, vector }, depth);
    const fused = fuse(found, fusion);
    times.push(performance.now() - begun);
    const again = performance.now();
    const reranked = await rerank(adapters, scope, text, fused);
    rerankTimes.push(performance.now() - again);
    const ranked: Record<List, { chunkId: string }[]> = { ...found, fused, reranked };
    for (const list of lists) scores[list].push(qualityOf(documentsIn(ranked[list], ids), relevant));
  }
  const { reranker } = adapters;
  const shown = lists.filter((list) => reranker || list !== 'reranked');
  return {
    documents: corpus.documents.length,
    passages: (await adapters.passages.state(scope.tenant)).passages,
    queries: corpus.queries.length,
    model: embedder?.model ?? null,
    fusion: fusionName(fusion),
    reranker: reranker ? `${reranker.model}, ${reranker.candidates} passages` : null,
    quality: Object.fromEntries(
      shown.map((list) => [list, byMeasure((measure) => bootstrap(scores[list].map((one) => one[measure])))]),
    ),
    ms: percentiles(times),
    ...(reranker ? { rerankMs: percentiles(rerankTimes) } : {}),
  };
}

/** Removes what an evaluation stored. */
export async function removeCorpus(adapters: Adapters, dir: string): Promise<number> {
  const scope = scopeOf(dir);
  let removed = 0;
  for (;;) {
    const { documents } = await adapters.documents.list(scope, { limit: 500 });
    if (documents.length === 0) return removed;
    for (const { id } of documents) if (await adapters.documents.delete(scope, id)) removed++;
  }
}

const scopeOf = (dir: string) => {
  const name = basename(resolve(dir));
  return { tenant: `eval/${name}/${hashHex(resolve(dir)).slice(0, 8)}`, subject: 'eval' };
};

const byMeasure = <T>(of: (measure: keyof Quality) => T) =>
  Object.fromEntries(measures.map((measure) => [measure, of(measure)])) as Record<keyof Quality, T>;

const percentiles = (times: number[]) => ({ p50: percentile(times, 0.5), p95: percentile(times, 0.95) });

/** As a search does it, but patiently, and a failure ends the measurement: half a row would be no figure. */
async function rerank({ reranker, readPassages }: Adapters, scope: Scope, query: string, fused: FusedCandidate[]) {
  if (!reranker || fused.length === 0) return [];
  const ids = fused.slice(0, reranker.candidates).map(({ chunkId }) => chunkId);
  const passages = [...(await readPassages(scope, ids)).values()];
  const scores = await reranker.scores(query, passages.map(rerankText), AbortSignal.timeout(60_000));
  return rerankedOrder(fused, new Map(passages.map(({ chunkId }, i) => [chunkId, scores[i] ?? -Infinity])));
}

/** A chunk's id begins with its document's; a document stands where its best passage does. */
const documentsIn = (ranked: { chunkId: string }[], ids: Map<string, string>) => [
  ...new Set(ranked.map(({ chunkId }) => ids.get(chunkId.slice(0, chunkId.indexOf('.'))) ?? '')),
];

type Scope = { tenant: string; subject: string };

async function store({ documents, parser }: Adapters, corpus: Corpus, scope: Scope, say: (line: string) => void) {
  for (const [i, { id, title, text }] of corpus.documents.entries()) {
    if (i % 50 === 0) say(`${i} of ${corpus.documents.length} documents stored`);
    const bytes = Buffer.from(title ? `# ${title.replace(/\s+/g, ' ').trim()}\n\n${text}` : text);
    const file = { name: `${id}.md`, mediaType: 'text/markdown', contentHash: hashHex(bytes), sizeBytes: bytes.length };
    const parse = () => parser.parse({ ...file, bytes }, AbortSignal.timeout(60_000));
    // An empty document cannot be found, and is none for the product.
    if (text.trim() !== '') await documents.put(scope, { file, parse, placement: { collection: 'default' } });
  }
}

async function embedAll({ vectors, embeddings }: Adapters, tenant: string, say: (line: string) => void) {
  const embedder = await embeddings.embedder();
  if (!embedder) return;
  for (;;) {
    const { chunks, embedded } = await vectors.progress(embedder.model, tenant);
    say(`${embedded} of ${chunks} passages embedded`);
    if ((await embedMissing({ vectors, embedder }, 64, AbortSignal.timeout(600_000))) === 0) return;
  }
}

async function documentIds({ documents }: Adapters, scope: Scope): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  let cursor: string | null | undefined;
  do {
    const page = await documents.list(scope, { limit: 500, ...(cursor ? { cursor } : {}) });
    for (const { id, name } of page.documents) ids.set(id, name.replace(/\.md$/, ''));
    cursor = page.nextCursor;
  } while (cursor);
  return ids;
}
