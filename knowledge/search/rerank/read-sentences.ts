import type { EvidenceThresholds } from '../../../contract/ports/index.ts';
import { highlightsOf, passageSentences } from '../sentences/highlights.ts';
import { coverageWeight, type CandidateRating, type SentenceQuery } from '../sentences/rate-candidates.ts';
import type { ReadPassage } from '../read-passages.ts';

/**
 * What one step of a reranker's logit counts, as a part of how far apart the embedding model puts near and far
 * sentences. Chosen on test/evaluation/tuning.json, where 0.25 to 1 give nearly the same: see docs/adr/0044.
 */
const logitWeight = 0.5;
/** The logit of a sentence that has nothing to do with the question. One that is not read counts the same. */
const farLogit = -12;

/** The logit of the best sentence that says no more for an answer than against it, on the tuning sets. */
const neutralLogit = -8.33;

/** What a reranker adds to a sentence with this logit. */
const gainOf = (logit: number, { spread }: EvidenceThresholds): number =>
  logitWeight * spread * Math.max(0, logit - farLogit);

/** The gain that says no more for an answer than against it. */
export const neutralGain = (thresholds: EvidenceThresholds): number => gainOf(neutralLogit, thresholds);

/** What a reranker adds to the nearness of sentences, by their document and where they begin in it. */
export type SentenceGains = Map<string, number>;
export const sentenceKey = (documentId: string, start: number): string => `${documentId} ${start}`;

export type SentenceRanking = { query: SentenceQuery; ratings: Map<string, CandidateRating> };

type SentenceReader = {
  scores(query: string, texts: string[], signal?: AbortSignal): Promise<number[] | undefined>;
};

/**
 * Has a reranker read the sentences of passages that come nearest to a question: they are a fifth as long as passages,
 * and say more exactly which passage answers.
 *
 * @param sentences how many it reads of all passages together
 * @returns the passages' new scores by chunk id, of those that have a rating; undefined when the reranker gives none
 */
export async function readSentences(
  { reranker, sentences }: { reranker: SentenceReader; sentences: number },
  { text, passages, ranking }: { text: string; passages: ReadPassage[]; ranking: SentenceRanking },
  signal: AbortSignal | undefined,
): Promise<{ scores: Map<string, number>; gains: SentenceGains } | undefined> {
  const { query, ratings } = ranking;
  const { words, thresholds } = query;
  const nearest = passages
    .flatMap((passage) => {
      const rating = ratings.get(passage.chunkId);
      if (!rating) return [];
      const rated = { parts: [rating], coverageWeight: coverageWeight(thresholds) };
      return highlightsOf(passage, passageSentences(passage), { words, rating: rated }).map((at) => ({
        passage,
        ...at,
      }));
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, sentences);
  if (nearest.length === 0) return undefined;
  const read = await reranker.scores(text, nearest.map(sentenceText), signal);
  if (!read) return undefined;
  const gains: SentenceGains = new Map();
  const best = new Map<string, number>();
  for (const [i, { passage, start }] of nearest.entries()) {
    const gain = gainOf(logitOf(read[i] ?? 0), thresholds);
    gains.set(sentenceKey(passage.documentId, start), gain);
    best.set(passage.chunkId, Math.max(best.get(passage.chunkId) ?? 0, gain));
  }
  const scores = passages.flatMap(({ chunkId }): [string, number][] => {
    const rating = ratings.get(chunkId);
    return rating ? [[chunkId, rating.score + (best.get(chunkId) ?? 0)]] : [];
  });
  return { scores: new Map(scores), gains };
}

/** What is read of a sentence: the headings above it, since they often name its subject, and itself. */
function sentenceText({ passage, start, end }: { passage: ReadPassage; start: number; end: number }): string {
  const headings = passage.headingPath.length > 0 ? passage.headingPath : [passage.title];
  return [...headings, passage.text.slice(start - passage.start, end - passage.start)].join('\n');
}

/** The logit of a score from 0 to 1. */
const logitOf = (score: number): number => Math.log(score / (1 - score));
