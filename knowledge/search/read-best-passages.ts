import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { BestPassages, type ScoredPassage } from './best-passages.ts';
import { readPassages } from './read-passages.ts';
import type { OrderedCandidate } from './rerank/candidate-order.ts';

type Selection = { scope: Scope; ordered: OrderedCandidate[]; limit: number; acceptsStale: boolean };

/**
 * Reads ordered candidates from Postgres until `limit` passages are chosen.
 *
 * @returns undefined when a candidate is gone or not readable any more, unless `acceptsStale`
 */
export async function readBestPassages(
  db: Database,
  { scope, ordered, limit, acceptsStale }: Selection,
): Promise<ScoredPassage[] | undefined> {
  const best = new BestPassages();
  const pageSize = 2 * limit;
  for (let from = 0; from < ordered.length && best.size < limit; from += pageSize) {
    const page = ordered.slice(from, from + pageSize);
    const ids = page.map(({ chunkId }) => chunkId);
    const readable = await readPassages(db, scope, ids);
    if (!acceptsStale && ids.some((id) => !readable.has(id))) return undefined;
    for (const { chunkId, ...scores } of page) {
      const passage = readable.get(chunkId);
      const { score } = scores.rerank ?? scores.sentence ?? scores.fused;
      if (passage && best.size < limit) best.offer({ ...passage, score, scores });
    }
  }
  return best.passages;
}
