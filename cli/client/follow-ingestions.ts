import { setTimeout as sleep } from 'node:timers/promises';
import { Ingestion } from '../../contract/documents.ts';
import type { ApiClient } from './api-client.ts';
import { createBackoff, isTransient } from './backoff.ts';

const pollMs = 250;

export type IngestionCounts = Ingestion['counts'];

export const sumCounts = (ingestions: Ingestion[]): IngestionCounts =>
  ingestions.reduce<IngestionCounts>(
    (sum, { counts }) => ({
      pending: sum.pending + counts.pending,
      added: sum.added + counts.added,
      replaced: sum.replaced + counts.replaced,
      unchanged: sum.unchanged + counts.unchanged,
      failed: sum.failed + counts.failed,
    }),
    { pending: 0, added: 0, replaced: 0, unchanged: 0, failed: 0 },
  );

/** Reads once how far the running ingestions are. */
export const refreshIngestions = (api: ApiClient, ingestions: Ingestion[]): Promise<Ingestion[]> =>
  Promise.all(
    ingestions.map(async (ingestion) =>
      ingestion.status === 'running' ? api.call(`/v1/ingestions/${ingestion.id}`, { answer: Ingestion }) : ingestion,
    ),
  );

/** Polls until every ingestion has ended. An outage of up to two minutes is waited out. */
export async function followIngestions(
  api: ApiClient,
  ingestions: Ingestion[],
  show: (ingestions: Ingestion[]) => void,
  notify: (line: string) => void,
): Promise<Ingestion[]> {
  const backoff = createBackoff({
    giveUpAfterMs: 120_000,
    onWait: () => notify('The connection broke. The work goes on; waiting for Alfred to answer again …'),
  });
  let current = ingestions;
  while (true) {
    show(current);
    if (current.every(({ status }) => status !== 'running')) return current;
    await sleep(pollMs);
    try {
      current = await refreshIngestions(api, current);
      backoff.reset();
    } catch (error) {
      if (!isTransient(error)) throw error;
      await backoff.wait(error as Error);
    }
  }
}
