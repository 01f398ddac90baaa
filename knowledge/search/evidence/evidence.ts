import type { RankedPassage } from '../../../contract/documents.ts';
import type { Embedder, EvidenceThresholds } from '../../../contract/ports/index.ts';
import type { ScoredPassage } from '../best-passages.ts';
import { neutralGain, sentenceKey, type SentenceGains } from '../rerank/read-sentences.ts';
import { highlightsOf, passageSentences } from '../sentences/highlights.ts';
import { coverageWeight, type CandidateRating, type SentenceNearness } from '../sentences/rate-candidates.ts';
import { judgeByMeaning, judgeByWords, nothingFound, strongerOf, type Verdict } from './judge-evidence.ts';
import { coverageOf, type WordWeights } from './word-weights.ts';

/** How many of the best passages are judged, regardless of the request's `limit`: the verdict must not depend on it. */
export const judgedPassages = 10;

/**
 * @property judged   the best `judgedPassages`, for the verdict
 * @property shown    those that the caller gets
 * @property words    what the words of the query weigh
 * @property ratings  of the candidates, by chunk id
 * @property passages how many the tenant has
 * @property searched about how many of them were searched
 * @property embedder whose vectors were searched
 * @property gains    of sentences that a reranker has read
 */
type Found = {
  judged: ScoredPassage[];
  shown: ScoredPassage[];
  words: WordWeights;
  ratings: Map<string, CandidateRating>;
  passages: number;
  searched: number;
  embedder: Embedder | undefined;
  gains?: SentenceGains | undefined;
};
type Judged = Verdict & { passages: RankedPassage[] };

/**
 * Judges whether passages speak of what was asked, and marks their best sentences: by the vectors of sentences with a
 * model whose thresholds are known, else by words. What of a passage has no such vectors is judged by words.
 */
export function judgePassages(found: Found): Judged {
  const { judged, shown, words, ratings, passages, searched, embedder, gains } = found;
  const thresholds = embedder?.evidence;
  const ratedPartsOf = createRatedPartsOf(ratings);
  const coverageIn = createCoverageIn(words, ratings);
  const around = meanOf([...ratings.values()].map(({ sentences }) => nearestOf(sentences)));
  /** What a reranker says for a passage, or against it. */
  const gainIn = ({ documentId }: ScoredPassage, sentences: SentenceNearness[], limits: EvidenceThresholds) =>
    gains
      ? bestOf(sentences.map(({ start }) => gains.get(sentenceKey(documentId, start)) ?? 0)) - neutralGain(limits)
      : 0;
  const byWords = (coverages: number[]) => judgeByWords(bestOf(coverages), reasonFor(embedder));
  const judge = (list: ScoredPassage[]): Verdict => {
    if (list.length === 0) return nothingFound;
    const rated = list.map((passage) => ({ passage, ...ratedPartsOf(passage) }));
    const near = rated.filter(({ sentences }) => sentences.length > 0);
    if (!thresholds || near.length === 0) return byWords(list.map((passage) => coverageIn(passage)));
    const cosine = bestOf(near.map(({ sentences }) => nearestOf(sentences)));
    const best = bestOf(
      near.map(
        ({ passage, sentences }) =>
          nearestOf(sentences) +
          coverageWeight(thresholds) * coverageIn(passage) +
          gainIn(passage, sentences, thresholds),
      ),
    );
    const byMeaning = judgeByMeaning({ cosine, best, around, searched, passages }, thresholds);
    const unrated = rated.filter(({ unrated }) => unrated !== '');
    if (unrated.length === 0) return byMeaning;
    return strongerOf(byMeaning, byWords(unrated.map(({ passage, unrated }) => coverageIn(passage, unrated))));
  };
  const ranked = shown.map((passage): RankedPassage => {
    const { language: _, ...visible } = passage;
    const { parts, sentences } = ratedPartsOf(passage);
    const rating = sentences.length > 0 && thresholds && { parts, coverageWeight: coverageWeight(thresholds) };
    const gainAt = (start: number) => gains?.get(sentenceKey(passage.documentId, start)) ?? 0;
    return {
      ...visible,
      coverage: coverageIn(passage),
      match: judge([passage]).evidence === 'strong' ? 'close' : 'loose',
      highlights: highlightsOf(passage, passageSentences(passage), { words, rating: rating || undefined, gainAt }),
    };
  });
  return { passages: ranked, ...judge(judged) };
}

/**
 * Finds what of a passage was rated by its place in the document, because a passage may join several chunks or show a
 * part of one.
 *
 * @returns a function that gives the rated chunks, their sentences that begin in the passage, and the text that none of
 *   them holds: all of it when there is no such sentence
 */
function createRatedPartsOf(ratings: Map<string, CandidateRating>) {
  const byDocument = Map.groupBy(ratings.values(), ({ documentId }) => documentId);
  for (const parts of byDocument.values()) parts.sort((a, b) => a.start - b.start);
  return ({ documentId, start, end, text }: ScoredPassage) => {
    const parts = (byDocument.get(documentId) ?? []).filter((part) => part.start < end && part.end > start);
    const sentences = parts.flatMap((part) => part.sentences).filter(({ start: at }) => at >= start && at < end);
    if (sentences.length === 0) return { parts, sentences, unrated: text };
    const ends = [start, ...parts.map((part) => part.end)];
    const beginnings = [...parts.map((part) => part.start), end];
    const gaps = beginnings.map((to, i) => text.slice(Math.max(0, (ends[i] ?? end) - start), Math.max(0, to - start)));
    return { parts, sentences, unrated: gaps.join('\n').trim() };
  };
}

/** The part of the query's words that a passage holds, or a part of its text with its headings. */
function createCoverageIn(words: WordWeights, ratings: Map<string, CandidateRating>) {
  const known = new Map<string, number>();
  return ({ chunkId, title, headingPath, text, language }: ScoredPassage, part = text): number => {
    const measure = () => coverageOf(words, [title, ...headingPath, part].join('\n'), language);
    if (part !== text) return measure();
    // A whole chunk keeps its id, and so its coverage as a candidate.
    const coverage = ratings.get(chunkId)?.coverage ?? known.get(chunkId) ?? measure();
    known.set(chunkId, coverage);
    return coverage;
  };
}

const nearestOf = (sentences: SentenceNearness[]) => bestOf(sentences.map(({ nearness }) => nearness));
const meanOf = (scores: number[]) => scores.reduce((sum, score) => sum + score, 0) / (scores.length || 1);
const bestOf = (scores: number[]) => scores.reduce((best, score) => Math.max(best, score), 0);

function reasonFor(embedder: Embedder | undefined): string {
  if (!embedder) return 'there is no embedding model';
  return embedder.evidence
    ? 'these passages have no vectors of their sentences yet'
    : `it is not known how near is near for ${embedder.model}`;
}
