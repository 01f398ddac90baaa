import { setImmediate as nextTurn } from 'node:timers/promises';
import { agnes } from 'ml-hclust';
import type { SocialItem } from '../../../contract/ports/index.ts';
import { contentWords } from './words.ts';

/** Comparing each with each of more would take too long. */
export const mostClustered = 300;

/**
 * Items are put together while the mean distance of two groups is below this. Distance is 1 minus the cosine of the
 * weights: 1 for items without a common word. On the sorted titles of test/agents/social-intel/clusters.test.ts every
 * value from 0.75 to 0.95 finds the topics.
 */
const cutDistance = 0.85;
const titleWeight = 2;
const labelWords = 3;
/** Of a long text only the words with most weight are compared. */
const mostWords = 60;

export type Cluster = { label: string; items: SocialItem[] };

/**
 * Topics among items: words are weighted by TF-IDF, those of titles twice, and items are put together by agglomerative
 * clustering with average linkage. Between the items the process does other work, as the heartbeats of its tasks.
 *
 * @param without words that all items share, as what was searched for
 * @returns clusters of two or more items, the largest first, and the items that are in none
 */
export async function clusterItems(
  all: readonly SocialItem[],
  without: string,
): Promise<{ clusters: Cluster[]; alone: SocialItem[] }> {
  const items = all.slice(0, mostClustered);
  if (items.length < 2) return { clusters: [], alone: [...all] };
  const left = new Set(contentWords(without));
  const counted: Weights[] = [];
  for (const item of items) {
    counted.push(countWords(item, left));
    await nextTurn();
  }
  const vectors = weigh(counted);
  const distances = await distancesOf(vectors);
  const groups = agnes(distances, { method: 'average', isDistanceMatrix: true })
    .cut(cutDistance)
    .map((cluster) => cluster.indices().sort((a, b) => a - b));
  const pick = (group: number[]) => group.map((index) => items[index]).filter((item) => item !== undefined);
  const clusters = groups
    .filter((group) => group.length > 1)
    .map((group) => ({ label: labelOf(group.flatMap((index) => vectors[index] ?? [])), items: pick(group) }))
    .sort((a, b) => b.items.length - a.items.length);
  const alone = groups.filter((group) => group.length === 1).flatMap(pick);
  return { clusters, alone: [...alone, ...all.slice(mostClustered)] };
}

/** As a whole matrix, each pair computed once. */
async function distancesOf(vectors: readonly Weights[]): Promise<number[][]> {
  const rows: number[][] = [];
  for (const [index, vector] of vectors.entries()) {
    rows.push(vectors.slice(0, index).map((other) => 1 - dot(vector, other)));
    await nextTurn();
  }
  return rows.map((row, a) => rows.map((other, b) => (a === b ? 0 : ((a > b ? row[b] : other[a]) ?? 1))));
}

type Weights = Map<string, number>;

function countWords({ title, text }: SocialItem, left: ReadonlySet<string>): Weights {
  const counts: Weights = new Map();
  const add = (words: string[], weight: number) => {
    for (const word of words) if (!left.has(word)) counts.set(word, (counts.get(word) ?? 0) + weight);
  };
  add(contentWords(title), titleWeight);
  add(contentWords(text), 1);
  return counts;
}

/**
 * TF-IDF with a dampened count, each vector of length 1. Words that only one item has are left out: they tell how items
 * differ, and in short texts there are so many of them that nothing would be near.
 */
function weigh(counted: Weights[]): Weights[] {
  const documents: Weights = new Map();
  for (const counts of counted) for (const word of counts.keys()) documents.set(word, (documents.get(word) ?? 0) + 1);
  return counted.map((counts) => {
    const shared = [...counts].filter(([word]) => (documents.get(word) ?? 0) > 1);
    const weights = shared
      .map(([word, count]): [string, number] => [
        word,
        (1 + Math.log(count)) * Math.log(1 + counted.length / (documents.get(word) ?? 1)),
      ])
      .sort(([word, a], [other, b]) => b - a || (word < other ? -1 : 1))
      .slice(0, mostWords);
    const length = Math.hypot(...weights.map(([, weight]) => weight)) || 1;
    return new Map(weights.map(([word, weight]) => [word, weight / length]));
  });
}

function dot(a: Weights, b: Weights): number {
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [word, weight] of few) sum += weight * (many.get(word) ?? 0);
  return sum;
}

/** The words that the items of a cluster have most weight on, and that at least two of them have. */
function labelOf(vectors: Weights[]): string {
  const sums = new Map<string, { weight: number; items: number }>();
  for (const vector of vectors)
    for (const [word, weight] of vector) {
      const { weight: before = 0, items = 0 } = sums.get(word) ?? {};
      sums.set(word, { weight: before + weight, items: items + 1 });
    }
  return [...sums]
    .filter(([, { items }]) => items > 1)
    .sort(([a, x], [b, y]) => y.weight - x.weight || (a < b ? -1 : 1))
    .slice(0, labelWords)
    .map(([word]) => word)
    .join(', ');
}
