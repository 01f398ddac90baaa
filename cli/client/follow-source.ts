import { setTimeout as sleep } from 'node:timers/promises';
import { Source } from '../../contract/sources.ts';
import type { ApiClient } from './api-client.ts';
import { createPatience, isPassing } from './backoff.ts';
import type { Terminal } from '../terminal/terminal.ts';

const pollMs = 250;

/** Waits until a source's sync has ended, and tells how far it is; a server that is away for a while is waited out. */
export async function followSource(api: ApiClient, source: Source, terminal: Terminal): Promise<Source> {
  const patience = createPatience({
    limitMs: 120_000,
    onWait: () => terminal.note('The connection broke. The work goes on; waiting for Alfred to answer again …', 'dim'),
  });
  let current = source;
  let printedAt = Date.now();
  for (;;) {
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
      patience.restore();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await patience.wait(error as Error);
    }
  }
}
