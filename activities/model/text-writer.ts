import { setTimeout as sleep } from 'node:timers/promises';

/** How long text may gather before it is written; short enough to read as a stream. */
const gatherMs = { least: 40, most: 250 };
/** While writes are slow, text gathers so many times as long as one takes: many streams share the database. */
const restPerWrite = 5;
/** How long to wait after a write that failed, and how often to try again once there is nothing more to come. */
const again = { waitMs: 250, attempts: 8 };

/**
 * Writes streamed text in few pieces: the first one at once, then whatever gathered while the write before was under
 * way or within 40 ms, longer while writes are slow. Pieces keep their order. A write that fails is tried again with what gathered since; the stream
 * itself is not worth the answer, so what cannot be written in the end is left out, for the answer is stored whole.
 *
 * @param onFailure told of every write that failed
 */
export function createTextWriter(write: (text: string) => Promise<void>, onFailure: (error: unknown) => void) {
  let gathered = '';
  let running: Promise<void> | undefined;
  let closing = false;

  const drain = async () => {
    for (let failures = 0; gathered && failures < again.attempts;) {
      const text = gathered;
      gathered = '';
      try {
        const begun = performance.now();
        await write(text);
        failures = 0;
        const rest = restPerWrite * (performance.now() - begun);
        if (!closing) await sleep(Math.min(gatherMs.most, Math.max(gatherMs.least, rest)));
      } catch (error) {
        onFailure(error);
        gathered = text + gathered;
        if (closing) failures++;
        await sleep(again.waitMs);
      }
    }
    running = undefined;
  };

  return {
    write(text: string) {
      if (text === '') return;
      gathered += text;
      running ??= drain();
    },
    async close() {
      closing = true;
      while (running) await running;
    },
  };
}
