import type { RankedPassage } from '../../../contract/documents.ts';
import type { Embedder } from '../../../contract/ports/index.ts';
import type { ScoredPassage } from '../best-passages.ts';
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
 * @property embedder whose vectors were searched
 */
type Found = {
  judged: ScoredPassage[];
  shown: ScoredPassage[];
  words: WordWeights;
  ratings: Map<string, CandidateRating>;
  passages: number;
  embedder: Embedder | undefined;
};
type Judged = Verdict & { passages: RankedPassage[] };

/**
 * Judges whether passages speak of what was asked, and marks their best sentences: by the vectors of sentences with a
 * model whose thresholds are known, else by words.
 */
export function judgePassages({ judged, shown, words, ratings, passages, embedder }: Found): Judged {
  const thresholds = embedder?.evidence;
  const sentencesOf = createSentencesOf(ratings);
  const byWords = (list: ScoredPassage[]) =>
    judgeByWords(bestOf(list.map((passage) => coverageIn(passage, words))), reasonFor(embedder));
  const judge = (list: ScoredPassage[]): Verdict => {
    if (list.length === 0) return nothingFound;
    const unrated = list.filter((passage) => !sentencesOf(passage));
    const nearness = list.flatMap((passage) => sentencesOf(passage) ?? []).map(({ nearness }) => nearness);
    if (!thresholds || nearness.length === 0) return byWords(list);
    const byMeaning = judgeByMeaning(bestOf(nearness), passages, thresholds);
    return unrated.length === 0 ? byMeaning : strongerOf(byMeaning, byWords(unrated));
  };
  const ranked = shown.map((passage): RankedPassage => {
    const sentences = sentencesOf(passage);
    const rating = sentences && thresholds && { sentences, coverageWeight: coverageWeight(thresholds) };
    return {
      ...passage,
      coverage: coverageIn(passage, words),
      match: judge([passage]).evidence === 'strong' ? 'close' : 'loose',
      highlights: highlightsOf(passage, passageSentences(passage), { words, rating }),
    };
  });
  return { passages: ranked, ...judge(judged) };
}

/**
 * Finds the rated sentences of a passage by their places in the document, because a passage may join several chunks or
 * show a part of one.
 *
 * @returns a function that gives undefined for a passage without any
 */
function createSentencesOf(ratings: Map<string, CandidateRating>) {
  const byDocument = new Map<string, SentenceNearness[]>();
  for (const { documentId, sentences } of ratings.values())
    byDocument.set(documentId, [...(byDocument.get(documentId) ?? []), ...sentences]);
  for (const sentences of byDocument.values()) sentences.sort((a, b) => a.start - b.start);
  return ({ documentId, start, end }: ScoredPassage): SentenceNearness[] | undefined => {
    const own = byDocument.get(documentId)?.filter((sentence) => sentence.start >= start && sentence.start < end);
    return own?.length ? own : undefined;
  };
}

const bestOf = (scores: number[]) => scores.reduce((best, score) => Math.max(best, score), 0);

const coverageIn = ({ title, headingPath, text }: ScoredPassage, words: WordWeights) =>
  coverageOf(words, [title, ...headingPath, text].join('\n'));

function reasonFor(embedder: Embedder | undefined): string {
  if (!embedder) return 'there is no embedding model';
  return embedder.evidence
    ? 'these passages have no vectors of their sentences yet'
    : `it is not known how near is near for ${embedder.model}`;
}
