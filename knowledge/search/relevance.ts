import { stemsIn, queryStems } from '../../contract/rules/terms.ts';

/**
 * From here on a passage is taken to speak of what was asked by the words it covers alone. Calibrated, like the sum of words
 * and likeness in meaning that a model has for it, on test/evaluation/policies.json: see docs/benchmarks.md for how many of
 * its questions are answered and left open.
 */
const enoughWords = 0.45;

type Passage = { text: string; headingPath: string[]; title: string; similarity: number | undefined };

/**
 * How much of a question each passage speaks of: the part of the question's telling words that stand in it or above it, rare
 * words counting more. How rare a word is follows from the passages themselves, so that nothing is learnt of documents that
 * whoever asks may not read.
 *
 * @param passages     `similarity`: cosine of question and passage, where there is a vector
 * @param relevantFrom from what sum of coverage and similarity on it is enough; undefined for a model that is not calibrated
 * @returns for each passage its coverage from 0 to 1, and whether it is enough
 */
export function relevanceOf(
  query: string,
  passages: Passage[],
  relevantFrom: number | undefined,
): { coverage: number; isRelevant: boolean }[] {
  const asked = queryStems(query);
  const held = passages.map(({ text, headingPath, title }) => stemsIn([title, ...headingPath, text].join('\n')));
  const weights = new Map(
    [...asked].map((stem) => {
      const holders = held.filter((stems) => stems.has(stem)).length;
      return [stem, Math.log((passages.length + 1) / (holders + 0.5))];
    }),
  );
  const total = sum([...weights.values()]);
  return held.map((stems, i) => {
    const covered = sum([...weights].map(([stem, weight]) => (stems.has(stem) ? weight : 0)));
    const coverage = total > 0 ? covered / total : 0;
    const similarity = passages[i]?.similarity;
    const isKnown = similarity !== undefined && relevantFrom !== undefined;
    const isRelevant = isKnown ? coverage + similarity >= relevantFrom : coverage >= enoughWords;
    return { coverage, isRelevant };
  });
}

const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0);
