import type { Rank } from '../../contract/documents.ts';
import { maxCodeHolders, type Candidates, type Hit } from './passage-index.ts';

/**
 * A candidate with its rank in each list; null where a list does not contain it.
 *
 * @property rank     in the fused list, from 1; `score`: what fusion gave it
 * @property codes    how many codes of the query it holds
 * @property sentence by its best sentence; null for one that was not compared
 */
export type FusedCandidate = {
  chunkId: string;
  lexical: Rank | null;
  dense: Rank | null;
  codes: number;
  rank: number;
  score: number;
  sentence: Rank | null;
};

/** How two lists become one. Part of the index version, because scores of different settings are not comparable. */
export type Fusion =
  /** Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): the sum of weight / (k + rank). */
  | { method: 'rrf'; k: number; denseWeight: number }
  /**
   * Distribution-based score fusion: the sum of normalised scores. 0 is three standard deviations below the mean of the
   * list, 1 is three above it.
   */
  | { method: 'dbsf'; denseWeight: number };

/** Chosen by measurement: see docs/reference/benchmarks.md. */
export const defaultFusion: Fusion = { method: 'rrf', k: 60, denseWeight: 0.5 };

/** What a passage gains by holding a code of the query: more than places in both lists are worth. */
const codeScore = 1;

/**
 * Merges both lists, best first; passages that hold a code of the query (`PPR-9087`) come before all others. Ties are
 * ordered by id, so that the same query always gives the same result.
 */
export function fuse(
  { lexical, dense, codes = [] }: Pick<Candidates, 'lexical' | 'dense'> & Partial<Pick<Candidates, 'codes'>>,
  fusion: Fusion = defaultFusion,
): FusedCandidate[] {
  const candidates = new Map<string, FusedCandidate>();
  const add = (list: Hit[], side: 'lexical' | 'dense', weight: number) => {
    const contributions = contributionsOf(list, fusion);
    for (const [i, { chunkId, score }] of list.entries()) {
      const candidate = candidates.get(chunkId) ?? newCandidate(chunkId);
      const contribution = weight * (contributions[i] ?? 0);
      candidates.set(chunkId, {
        ...candidate,
        [side]: { rank: i + 1, score },
        score: candidate.score + contribution,
      });
    }
  };
  add(lexical, 'lexical', dense.length > 0 ? 1 - fusion.denseWeight : 1);
  add(dense, 'dense', fusion.denseWeight);
  for (const { holders } of codes.filter(({ holders }) => holders.length <= maxCodeHolders))
    for (const chunkId of holders) {
      const candidate = candidates.get(chunkId);
      if (candidate)
        candidates.set(chunkId, { ...candidate, codes: candidate.codes + 1, score: candidate.score + codeScore });
    }
  return [...candidates.values()]
    .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
    .map((candidate, i) => ({ ...candidate, rank: i + 1 }));
}

const newCandidate = (chunkId: string): FusedCandidate => ({
  chunkId,
  lexical: null,
  dense: null,
  codes: 0,
  rank: 0,
  score: 0,
  sentence: null,
});

function contributionsOf(list: Hit[], fusion: Fusion): number[] {
  if (fusion.method === 'rrf') return list.map((_, i) => 1 / (fusion.k + i + 1));
  const mean = list.reduce((sum, { score }) => sum + score, 0) / list.length;
  const deviation = Math.sqrt(list.reduce((sum, { score }) => sum + (score - mean) ** 2, 0) / list.length) || 1;
  return list.map(({ score }) => Math.min(1, Math.max(0, (score - mean + 3 * deviation) / (6 * deviation))));
}

/** Names the method and its settings, for the index version. */
export const fusionName = (fusion: Fusion): string =>
  fusion.method === 'rrf' ? `rrf${fusion.k}x${fusion.denseWeight}` : `dbsf${fusion.denseWeight}`;
