import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { FusedCandidate } from '../fusion.ts';
import { readPassages } from '../read-passages.ts';
import { fusedOrder, rerankedOrder, rerankText, type OrderedCandidate } from './candidate-order.ts';
import type { GuardedReranker } from './guarded-reranker.ts';

type Deps = { db: Database; reranker: GuardedReranker };
type Ranking = { scope: Scope; query: string; fused: FusedCandidate[]; acceptsStale: boolean };

/**
 * Orders candidates by the reranker, or as they were fused when it gives no scores. The reranker gets only passages
 * that the caller may read.
 *
 * @returns undefined when a candidate is gone or not readable any more, unless `acceptsStale`
 * @throws the signal's reason
 */
export async function orderCandidates(
  { db, reranker }: Deps,
  { scope, query, fused, acceptsStale }: Ranking,
  signal: AbortSignal | undefined,
): Promise<OrderedCandidate[] | undefined> {
  const ids = fused.slice(0, reranker.candidates).map(({ chunkId }) => chunkId);
  const readable = await readPassages(db, scope, ids);
  if (!acceptsStale && readable.size < ids.length) return undefined;
  const passages = ids.flatMap((id) => readable.get(id) ?? []);
  const scores = passages.length > 0 && (await reranker.scores(query, passages.map(rerankText), signal));
  if (!scores) return fusedOrder(fused);
  return rerankedOrder(fused, new Map(passages.map(({ chunkId }, i) => [chunkId, scores[i] ?? -Infinity])));
}
