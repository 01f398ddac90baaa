import { setTimeout as sleep } from 'node:timers/promises';
import { Source } from '../../contract/sources.ts';
import type { ApiClient } from './api-client.ts';
import { createBackoff, isTransient } from './backoff.ts';
import type { Terminal } from '../terminal/terminal.ts';

const pollMs = 250;

/** Polls until a source's sync has ended, and shows its progress. An outage of up to two minutes is waited out. */
export async function followSource(api: ApiClient, source: Source, terminal: Terminal): Promise<Source> {
  const backoff = createBackoff({
    giveUpAfterMs: 120_000,
    onWait: () => terminal.note('The connection broke. The work goes on; waiting for Alfred to answer again …', 'dim'),
  });
  let current = source;
  let printedAt = Date.now();
  while (true) {
    const { state, counts } = current.sync;
    if (state !== 'queued' && state !== 'running') {
      terminal.clearStatus();
      return current;
    }
    const done = counts.added + counts.replaced + counts.unchanged + counts.failed;
    const line = `${done} of ${done + counts.pending} done (${counts.failed} failed)`;
    if (terminal.isLiveStatus) terminal.status(line);
    else if (Date.now() - printedAt > 2_000) {
      printedAt = Date.now();
      terminal.note(line);
    }
    await sleep(pollMs);
    try {
      current = await api.call(`/v1/sources/${source.id}`, { answer: Source });
      backoff.reset();
    } catch (error) {
      if (!isTransient(error)) throw error;
      await backoff.wait(error as Error);
    }
  }
}
