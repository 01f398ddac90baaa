import { setTimeout as sleep } from 'node:timers/promises';
import { Ingestion } from '../../contract/documents.ts';
import type { ApiClient } from './api-client.ts';
import { createPatience, isPassing } from './backoff.ts';

const pollMs = 250;

export type Counts = Ingestion['counts'];

export const totals = (ingestions: Ingestion[]): Counts =>
  ingestions.reduce<Counts>(
    (sum, { counts }) => ({
      pending: sum.pending + counts.pending,
      added: sum.added + counts.added,
      replaced: sum.replaced + counts.replaced,
      unchanged: sum.unchanged + counts.unchanged,
      failed: sum.failed + counts.failed,
    }),
    { pending: 0, added: 0, replaced: 0, unchanged: 0, failed: 0 },
  );

/** Asks once how far those still running are. */
export const refresh = (api: ApiClient, ingestions: Ingestion[]): Promise<Ingestion[]> =>
  Promise.all(
    ingestions.map(async (one) =>
      one.status === 'running' ? api.call(`/v1/ingestions/${one.id}`, { answer: Ingestion }) : one,
    ),
  );

/** Waits until every ingestion has ended; a server that is away for a while is waited out. */
export async function followIngestions(
  api: ApiClient,
  ingestions: Ingestion[],
  show: (ingestions: Ingestion[]) => void,
  say: (line: string) => void,
): Promise<Ingestion[]> {
  const patience = createPatience({
    limitMs: 120_000,
    onWait: () => say('The connection broke. The work goes on; waiting for Alfred to answer again …'),
  });
  let current = ingestions;
  for (;;) {
    show(current);
    if (current.every(({ status }) => status !== 'running')) return current;
    await sleep(pollMs);
    try {
      current = await refresh(api, current);
      patience.restore();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await patience.wait(error as Error);
    }
  }
}
