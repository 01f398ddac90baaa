import { basename, resolve } from 'node:path';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import { defaultFusion, fuse, fusionName, type FusedCandidate, type Fusion } from '../../knowledge/search/fusion.ts';
import { rerankedOrder, rerankText } from '../../knowledge/search/rerank/candidate-order.ts';
import type { Embedder } from '../../contract/ports/index.ts';
import { readsPassage, readsQuery } from '../../knowledge/search/rerank/readable-languages.ts';
import { readSentences, type SentenceRanking } from '../../knowledge/search/rerank/read-sentences.ts';
import { weighWords } from '../../knowledge/search/evidence/word-weights.ts';
import type { CorpusCounts } from '../../knowledge/search/passage-index.ts';
import { orderBySentences } from '../../knowledge/search/sentences/order-by-sentences.ts';
import { ratedCandidates } from '../../knowledge/search/sentences/rate-candidates.ts';
import { embedMissing } from '../../activities/documents/embed-texts.ts';
import type { Corpus } from './beir.ts';
import { bootstrap, percentile, qualityOf, type Interval, type Quality } from './measures.ts';

const lists = ['lexical', 'dense', 'fused', 'sentences', 'reranked'] as const;
type List = (typeof lists)[number];
const measures = ['ndcg10', 'recall100', 'mrr'] as const satisfies (keyof Quality)[];

export type RetrievalReport = {
  documents: number;
  passages: number;
  queries: number;
  model: string | null;
  fusion: string;
  reranker: string | null;
  /**
   * By ranked list. `sentences` is the fused list, ordered by the best sentences, with a model that has vectors of
   * them; `reranked` only with a reranker.
   */
  quality: Partial<Record<List, Record<keyof Quality, Interval>>>;
  /** Duration of one hybrid search, with the embedding of the question and without reranking. */
  ms: { p50: number; p95: number };
  /** Duration of reranking, with reading the passages from Postgres. */
  rerankMs?: { p50: number; p95: number };
};

/** Length of the lists that are fused: long enough for Recall@100, as a document may have several passages in them. */
const listLength = 200;

/**
 * Stores a test collection as documents of its own tenant, with the product's parser and chunks, and searches it with
 * every question. Documents and vectors stay for the next run, until `removeCorpus`.
 *
 * @param options.dir the collection's folder: it names the tenant
 */
export async function evaluateRetrieval(
  adapters: Adapters,
  corpus: Corpus,
  { dir, onProgress, fusion = defaultFusion }: { dir: string; onProgress: (line: string) => void; fusion?: Fusion },
): Promise<RetrievalReport> {
  const scope = scopeOf(dir);
  // A server that is away or refuses our key fails the command now, not after an hour of embedding.
  await adapters.passages.size();
  await storeDocuments(adapters, corpus, scope, onProgress);
  const embedder = await adapters.embeddings.embedder();
  if (embedder) await embedPassages(adapters, scope.tenant, onProgress);
  const corpusIds = await readCorpusIds(adapters, scope);

  const scores: Record<List, Quality[]> = { lexical: [], dense: [], fused: [], sentences: [], reranked: [] };
  const times: number[] = [];
  const rerankTimes: number[] = [];
  for (const [i, { text, relevant }] of corpus.queries.entries()) {
    onProgress(`${i} of ${corpus.queries.length} questions asked`);
    const searchedAtMs = performance.now();
    const vector = await embedder?.embedQuery(text, AbortSignal.timeout(60_000));
    const candidates = await adapters.passages.find(scope, { principals: ['everyone'] }, { text, vector }, listLength);
    const fused = fuse(candidates, fusion);
    const ranking = await rateFused(adapters, { scope, text, fused, corpus: candidates.corpus, embedder, vector });
    const sentences = ranking ? orderBySentences(fused, ranking.ratings) : fused;
    times.push(performance.now() - searchedAtMs);
    const rerankedAtMs = performance.now();
    const reranked = await rerank(adapters, { scope, text, fused: sentences, ranking });
    rerankTimes.push(performance.now() - rerankedAtMs);
    const ranked: Record<List, { chunkId: string }[]> = { ...candidates, fused, sentences, reranked };
    for (const list of lists) scores[list].push(qualityOf(documentsIn(ranked[list], corpusIds), relevant));
  }
  const { reranker } = adapters;
  const isReported = { sentences: embedder?.evidence !== undefined, reranked: reranker !== undefined };
  const reported = lists.filter((list) => !(list in isReported) || isReported[list as keyof typeof isReported]);
  return {
    documents: corpus.documents.length,
    passages: (await adapters.passages.state(scope.tenant)).passages,
    queries: corpus.queries.length,
    model: embedder?.model ?? null,
    fusion: fusionName(fusion),
    reranker: reranker ? `${reranker.model}, ${reranker.candidates} passages` : null,
    quality: Object.fromEntries(
      reported.map((list) => [
        list,
        byMeasure((measure) => bootstrap(scores[list].map((quality) => quality[measure]))),
      ]),
    ),
    ms: percentiles(times),
    ...(reranker ? { rerankMs: percentiles(rerankTimes) } : {}),
  };
}

/** Rates the sentences of the fused list as a search does. @returns undefined when they have no vectors */
async function rateFused(
  { rateCandidates }: Adapters,
  ranking: {
    scope: Scope;
    text: string;
    fused: FusedCandidate[];
    corpus: CorpusCounts;
    embedder: Embedder | undefined;
    vector: Float32Array | undefined;
  },
): Promise<SentenceRanking | undefined> {
  const { scope, text, fused, corpus, embedder, vector } = ranking;
  if (!embedder?.evidence || !vector) return undefined;
  const { model, evidence: thresholds } = embedder;
  const ids = fused.slice(0, ratedCandidates).map(({ chunkId }) => chunkId);
  const query = { model, vector, words: weighWords(text, corpus), thresholds };
  return { query, ratings: await rateCandidates(scope, query, ids) };
}

/** Removes the documents that an evaluation has stored. @returns how many */
export async function removeCorpus(adapters: Adapters, dir: string): Promise<number> {
  const scope = scopeOf(dir);
  let removed = 0;
  while (true) {
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

/** Reranks as a search does, but with a long timeout. Throws when it fails: a partial result must not be measured. */
async function rerank(
  { reranker, readPassages }: Adapters,
  {
    scope,
    text,
    fused,
    ranking,
  }: { scope: Scope; text: string; fused: FusedCandidate[]; ranking: SentenceRanking | undefined },
) {
  if (!reranker || fused.length === 0) return [];
  const ids = fused.slice(0, reranker.candidates).map(({ chunkId }) => chunkId);
  const passages = [...(await readPassages(scope, ids)).values()];
  const { languages, sentences } = reranker;
  if (!readsQuery(languages, text) || !passages.every((passage) => readsPassage(languages, passage))) return fused;
  const signal = AbortSignal.timeout(60_000);
  const scoresOf = (query: string, texts: string[]) => reranker.scores(query, texts, signal);
  if (sentences !== undefined && ranking) {
    const read = await readSentences(
      { reranker: { scores: scoresOf }, sentences },
      { text, passages, ranking },
      signal,
    );
    return read ? rerankedOrder(fused, read.scores) : fused;
  }
  const scores = await scoresOf(text, passages.map(rerankText));
  return rerankedOrder(fused, new Map(passages.map(({ chunkId }, i) => [chunkId, scores[i] ?? -Infinity])));
}

/** Ids of the corpus, in the order of each document's best passage. A chunk id starts with its document's id. */
const documentsIn = (ranked: { chunkId: string }[], corpusIds: Map<string, string>) => [
  ...new Set(ranked.map(({ chunkId }) => corpusIds.get(chunkId.slice(0, chunkId.indexOf('.'))) ?? '')),
];

type Scope = { tenant: string; subject: string };

async function storeDocuments(
  { documents, parser }: Adapters,
  corpus: Corpus,
  scope: Scope,
  onProgress: (line: string) => void,
) {
  for (const [i, { id, title, text }] of corpus.documents.entries()) {
    if (i % 50 === 0) onProgress(`${i} of ${corpus.documents.length} documents stored`);
    const bytes = Buffer.from(title ? `# ${title.replace(/\s+/g, ' ').trim()}\n\n${text}` : text);
    const file = { name: `${id}.md`, mediaType: 'text/markdown', contentHash: hashHex(bytes), sizeBytes: bytes.length };
    const parse = () => parser.parse({ ...file, bytes }, AbortSignal.timeout(60_000));
    // The product refuses an empty document.
    if (text.trim() !== '') await documents.put(scope, { file, parse, placement: { collection: 'default' } });
  }
}

async function embedPassages({ vectors, embeddings }: Adapters, tenant: string, onProgress: (line: string) => void) {
  const embedder = await embeddings.embedder();
  if (!embedder) return;
  while (true) {
    const { chunks, embedded } = await vectors.progress(embedder.model, tenant);
    onProgress(`${embedded} of ${chunks} passages embedded`);
    if ((await embedMissing({ vectors, embedder }, 64, AbortSignal.timeout(600_000))) === 0) return;
  }
}

/** @returns the corpus's document id by our document id */
async function readCorpusIds({ documents }: Adapters, scope: Scope): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  let cursor: string | null | undefined;
  do {
    const page = await documents.list(scope, { limit: 500, ...(cursor ? { cursor } : {}) });
    for (const { id, name } of page.documents) ids.set(id, name.replace(/\.md$/, ''));
    cursor = page.nextCursor;
  } while (cursor);
  return ids;
}
