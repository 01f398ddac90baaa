import type { RankedPassage } from '../../../contract/documents.ts';
import type { Embedder } from '../../../contract/ports/index.ts';
import { linkAbort } from '../../../runtime/link-abort.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { ScoredPassage } from '../best-passages.ts';
import type { CorpusCounts } from '../passage-index.ts';
import type { TimeStage } from '../time-stage.ts';
import { judgeByMeaning, judgeByWords, nothingFound, type Verdict } from './judge-evidence.ts';
import { cosineOf, highlightsOf, passageSentences, type PassageSentence } from './rate-sentences.ts';
import { createSentenceVectors } from './sentence-vectors.ts';
import { coverageOf, weighWords, type WordWeights } from './word-weights.ts';

/** How many of the best passages are judged, regardless of the request's `limit`: the verdict must not depend on it. */
export const judgedPassages = 10;
/** Sentences that are embedded for one search at most; those of the best passages come first. */
const maxSentences = 120;
/** A search waits this long for the vectors of sentences, then it is judged by words. */
const timeoutMs = 5_000;

/**
 * @property query    as it was asked; `embedded`: its vector and the model that made it
 * @property judged   the best `judgedPassages`, for the verdict
 * @property shown    those that the caller gets
 */
type Found = {
  query: string;
  judged: ScoredPassage[];
  shown: ScoredPassage[];
  corpus: CorpusCounts;
  embedded: { embedder: Embedder; vector: Float32Array } | undefined;
};
type Judged = Verdict & { passages: RankedPassage[] };

/**
 * Judges whether passages speak of what was asked, and marks their best sentences: by the vectors of sentences with a
 * model whose thresholds are known, else by words.
 */
export function createEvidence({ log, timeStage }: { log: Logger; timeStage: TimeStage }) {
  const sentenceVectors = createSentenceVectors();

  /** The cosine of each sentence with the query; undefined when the model fails or is too slow. */
  const cosinesOf = async (
    { embedder, vector }: NonNullable<Found['embedded']>,
    sentences: PassageSentence[],
    signal: AbortSignal | undefined,
  ): Promise<Map<PassageSentence, number> | undefined> => {
    const stop = linkAbort(signal ? [signal] : [], { timeoutMs });
    try {
      const texts = sentences.map(({ embedded }) => embedded);
      const vectors = await timeStage('sentences', () => sentenceVectors(embedder, texts, stop.signal));
      return new Map(sentences.map((sentence, i) => [sentence, cosineOf(vector, vectors[i] ?? new Float32Array())]));
    } catch (error) {
      signal?.throwIfAborted();
      log.warn(
        { err: error, model: embedder.model },
        'sentences could not be embedded: a search is judged by its words',
      );
      return undefined;
    } finally {
      stop.release();
    }
  };

  return async ({ query, judged, shown, corpus, embedded }: Found, signal?: AbortSignal): Promise<Judged> => {
    const words = weighWords(query, corpus);
    const thresholds = embedded?.embedder.evidence;
    const judgedSentences = judged.flatMap(passageSentences).slice(0, maxSentences);
    const shownSentences = shown.map(passageSentences);
    // What lies beyond the judged passages is rated by words: a search for 50 would embed hundreds of sentences.
    const ratedSentences = shownSentences.slice(0, judgedPassages).flat().slice(0, maxSentences);
    const cosines =
      embedded && thresholds && (await cosinesOf(embedded, [...judgedSentences, ...ratedSentences], signal));
    const judge = (ownCosines: number[] | undefined, coverages: number[]) =>
      ownCosines && thresholds
        ? judgeByMeaning(bestOf(ownCosines), corpus.passages, thresholds)
        : judgeByWords(bestOf(coverages), reasonFor(embedded?.embedder));
    const passages = shown.map((passage, i) => {
      const own = shownSentences[i] ?? [];
      const isRated = cosines !== undefined && own.every((sentence) => cosines.has(sentence));
      const ownCosines = isRated ? own.map((sentence) => cosines.get(sentence) ?? 0) : undefined;
      const coverage = coverageIn(passage, words);
      const { evidence } = judge(ownCosines, [coverage]);
      return {
        ...passage,
        coverage,
        match: evidence === 'strong' ? ('close' as const) : ('loose' as const),
        highlights: highlightsOf(passage, own, { words, cosines: ownCosines }),
      };
    });
    if (judged.length === 0) return { passages, ...nothingFound };
    const judgedCosines = cosines && judgedSentences.map((sentence) => cosines.get(sentence) ?? 0);
    const coverages = judged.map((passage) => coverageIn(passage, words));
    return { passages, ...judge(judgedCosines, coverages) };
  };
}

const bestOf = (scores: number[]) => scores.reduce((best, score) => Math.max(best, score), 0);

const coverageIn = ({ title, headingPath, text }: ScoredPassage, words: WordWeights) =>
  coverageOf(words, [title, ...headingPath, text].join('\n'));

function reasonFor(embedder: Embedder | undefined): string {
  if (!embedder) return 'there is no embedding model';
  return embedder.evidence
    ? 'the sentences could not be embedded in time'
    : `it is not known how near is near for ${embedder.model}`;
}
