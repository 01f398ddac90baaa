import type { Scope } from '../../../contract/references.ts';
import type { EvidenceThresholds } from '../../../contract/ports/index.ts';
import { sentencesOf } from '../../../contract/rules/quote.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { readSentenceVectors } from '../../store/sentence-vectors.ts';
import { coverageOf, type WordWeights } from '../evidence/word-weights.ts';

/** How many of the fused candidates are compared sentence by sentence. */
export const ratedCandidates = 60;

/**
 * Where a sentence begins in its document, and how near it comes to the query: its cosine, less for a very short one.
 */
export type SentenceNearness = { start: number; nearness: number };

/**
 * A candidate, from `start` to `end` of its document.
 *
 * @property coverage the part of the query's words that it holds, with its headings
 * @property score    its nearest sentence, and a share for the words of the query that it holds
 */
export type CandidateRating = {
  documentId: string;
  start: number;
  end: number;
  coverage: number;
  score: number;
  sentences: SentenceNearness[];
};

/** What a query is compared by. @property model that made `vector` and the vectors of the sentences */
export type SentenceQuery = { model: string; vector: Float32Array; words: WordWeights; thresholds: EvidenceThresholds };

/**
 * What it counts when a text holds all words of the query, in cosines. This and the next number were chosen on
 * test/evaluation/tuning.json, see docs/reference/benchmarks.md.
 */
export const coverageWeight = ({ spread }: EvidenceThresholds): number => 1.5 * spread;

/** Below this length, in bytes of UTF-8, the vector of a sentence says little: “- [ ] HubSpot” comes near to much. */
const shortBytes = 60;
const lossOf = (text: string, { spread }: EvidenceThresholds): number =>
  spread * Math.max(0, 1 - Buffer.byteLength(text) / shortBytes);

/**
 * Compares a query with the stored vectors of the sentences of candidates.
 *
 * @returns the ratings by chunk id, without the candidates that have no such vectors (yet)
 */
export async function rateCandidates(
  db: Database,
  { tenant }: Scope,
  query: SentenceQuery,
  chunkIds: string[],
): Promise<Map<string, CandidateRating>> {
  if (chunkIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('documents as d', 'd.id', 'c.document_id')
    .innerJoin('embeddings as e', (join) =>
      join.onRef('e.tenant', '=', 'd.tenant').on('e.model', '=', query.model).onRef('e.hash', '=', 'c.embed_hash'),
    )
    .select(['c.id', 'c.document_id', 'c.start_at', 'c.end_at', 'c.text', 'c.heading_path'])
    .select(['d.title', 'd.language', 'e.sentences'])
    .where('d.tenant', '=', tenant)
    .where('c.id', 'in', chunkIds)
    .execute();
  return new Map(
    rows.flatMap((row) => {
      const sentences = compareSentences(row, query);
      if (!sentences) return [];
      const nearest = sentences.reduce((best, { nearness }) => Math.max(best, nearness), 0);
      const coverage = coverageOf(query.words, [row.title, ...row.heading_path, row.text].join('\n'), row.language);
      const score = nearest + coverageWeight(query.thresholds) * coverage;
      const place = { documentId: row.document_id, start: row.start_at, end: row.end_at };
      return [[row.id, { ...place, coverage, score, sentences }]];
    }),
  );
}

type ChunkRow = { start_at: number; text: string; sentences: Buffer | null };

function compareSentences(
  { start_at, text, sentences }: ChunkRow,
  { vector, thresholds }: SentenceQuery,
): SentenceNearness[] | undefined {
  const spans = sentencesOf(text);
  const vectors = sentences
    ? readSentenceVectors(sentences, { count: spans.length, dimensions: vector.length })
    : undefined;
  return vectors?.flatMap((sentence, i) => {
    const span = spans[i];
    if (!span) return [];
    const loss = lossOf(text.slice(span.start, span.end), thresholds);
    return [{ start: start_at + span.start, nearness: cosineOf(vector, sentence) - loss }];
  });
}

/** The cosine of two vectors; `query` has length 1. */
function cosineOf(query: Float32Array, vector: Float32Array): number {
  let [product, square] = [0, 0];
  for (let i = 0; i < vector.length; i++) {
    const x = vector[i] ?? 0;
    product += x * (query[i] ?? 0);
    square += x * x;
  }
  return square > 0 ? product / Math.sqrt(square) : 0;
}
