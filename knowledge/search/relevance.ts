import { stemsIn, queryStems } from '../../contract/rules/terms.ts';

/**
 * From this coverage on, a passage counts as relevant by its words alone. Calibrated on test/evaluation/policies.json,
 * like each model's `relevanceThreshold`. docs/benchmarks.md has the share of its questions that are answered.
 */
const minCoverage = 0.45;

type Passage = { text: string; headingPath: string[]; title: string; similarity: number | undefined };

/**
 * Rates how well each passage covers a question. Coverage is the share of the question's content words that occur in
 * the passage, its headings or its title. Rare words weigh more. Rarity is measured among these passages only, so that
 * it reveals nothing about documents that the caller may not read.
 *
 * @param passages  `similarity`: cosine of question and passage; undefined without vectors
 * @param threshold the sum of coverage and similarity that makes a passage relevant; undefined for a model that is not
 *                  calibrated
 * @returns for each passage its coverage, from 0 to 1, and whether it is relevant
 */
export function relevanceOf(
  query: string,
  passages: Passage[],
  threshold: number | undefined,
): { coverage: number; isRelevant: boolean }[] {
  const stemsOfQuery = queryStems(query);
  const stemsOfPassages = passages.map(({ text, headingPath, title }) =>
    stemsIn([title, ...headingPath, text].join('\n')),
  );
  const weights = new Map(
    [...stemsOfQuery].map((stem) => {
      const matching = stemsOfPassages.filter((stems) => stems.has(stem)).length;
      return [stem, Math.log((passages.length + 1) / (matching + 0.5))];
    }),
  );
  const total = sum([...weights.values()]);
  return stemsOfPassages.map((stems, i) => {
    const covered = sum([...weights].map(([stem, weight]) => (stems.has(stem) ? weight : 0)));
    const coverage = total > 0 ? covered / total : 0;
    const similarity = passages[i]?.similarity;
    const isCalibrated = similarity !== undefined && threshold !== undefined;
    const isRelevant = isCalibrated ? coverage + similarity >= threshold : coverage >= minCoverage;
    return { coverage, isRelevant };
  });
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
