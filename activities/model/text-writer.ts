import { setTimeout as sleep } from 'node:timers/promises';

/** How long text is buffered before it is written. Short, so that it still reads as a stream. */
const bufferMs = { min: 40, max: 250 };
/** After a slow write, text is buffered for this multiple of its duration: many streams share the database. */
const pausePerWrite = 5;
/** Wait after a failed write, and the number of failures after which a closed stream gives up. */
const retry = { waitMs: 250, attempts: 8 };

/**
 * Writes streamed text in few pieces. The first piece is written at once. Each later piece is the text that was
 * buffered during the previous write and a pause of at least 40 ms, longer while writes are slow. Pieces keep their
 * order. A failed write is retried together with newer text. Text that cannot be written in the end is omitted: the
 * stream must not fail the call, and the complete answer is stored separately.
 *
 * @param onFailure called for each failed write
 */
export function createTextWriter(write: (text: string) => Promise<void>, onFailure: (error: unknown) => void) {
  let buffered = '';
  let running: Promise<void> | undefined;
  let closing = false;

  const drain = async () => {
    for (let failures = 0; buffered && failures < retry.attempts;) {
      const text = buffered;
      buffered = '';
      try {
        const startedAt = performance.now();
        await write(text);
        failures = 0;
        const pauseMs = pausePerWrite * (performance.now() - startedAt);
        if (!closing) await sleep(Math.min(bufferMs.max, Math.max(bufferMs.min, pauseMs)));
      } catch (error) {
        onFailure(error);
        buffered = text + buffered;
        if (closing) failures++;
        await sleep(retry.waitMs);
      }
    }
    running = undefined;
  };

  return {
    write(text: string) {
      if (text === '') return;
      buffered += text;
      running ??= drain();
    },
    async close() {
      closing = true;
      while (running) await running;
    },
  };
}
