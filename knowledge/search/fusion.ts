import type { Rank } from '../../contract/documents.ts';
import type { Candidates, Hit } from './passage-index.ts';

/** A candidate with its place in each list. */
export type FusedCandidate = { chunkId: string; lexical: Rank | null; dense: Rank | null; score: number };

/** How two lists become one. Part of the index version, since answers of two settings do not compare. */
export type Fusion =
  /** Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): the sum of weight / (k + rank). */
  | { method: 'rrf'; k: number; denseWeight: number }
  /** Distribution-based score fusion: scores as they lie within three standard deviations of their list's mean, added up. */
  | { method: 'dbsf'; denseWeight: number };

/** Chosen by measurement, see docs/benchmarks.md. */
export const defaultFusion: Fusion = { method: 'rrf', k: 60, denseWeight: 0.5 };

/** One list of both, best first; ties in the order of their ids, so that the same query has the same answer. */
export function fuse({ lexical, dense }: Candidates, fusion: Fusion = defaultFusion): FusedCandidate[] {
  const found = new Map<string, FusedCandidate>();
  const add = (list: Hit[], side: 'lexical' | 'dense', weight: number) => {
    const shares = sharesOf(list, fusion);
    for (const [i, { chunkId, score }] of list.entries()) {
      const before = found.get(chunkId) ?? { chunkId, lexical: null, dense: null, score: 0 };
      const share = weight * (shares[i] ?? 0);
      found.set(chunkId, { ...before, [side]: { rank: i + 1, score }, score: before.score + share });
    }
  };
  add(lexical, 'lexical', dense.length > 0 ? 1 - fusion.denseWeight : 1);
  add(dense, 'dense', fusion.denseWeight);
  return [...found.values()].sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1));
}

function sharesOf(list: Hit[], fusion: Fusion): number[] {
  if (fusion.method === 'rrf') return list.map((_, i) => 1 / (fusion.k + i + 1));
  const mean = list.reduce((sum, { score }) => sum + score, 0) / list.length;
  const deviation = Math.sqrt(list.reduce((sum, { score }) => sum + (score - mean) ** 2, 0) / list.length) || 1;
  return list.map(({ score }) => Math.min(1, Math.max(0, (score - mean + 3 * deviation) / (6 * deviation))));
}

export const fusionName = (fusion: Fusion): string =>
  fusion.method === 'rrf' ? `rrf${fusion.k}x${fusion.denseWeight}` : `dbsf${fusion.denseWeight}`;
