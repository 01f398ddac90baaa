import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** How long text is buffered before it is written. Short, so that it still reads as a stream. */
const bufferMs = { min: 40, max: 250 };
/** After a slow write, text is buffered for this multiple of its duration: many streams share the database. */
const pausePerWrite = 5;
/** Wait after a failed write, and the number of failures after which a closed stream gives up. */
const retry = { waitMs: 250, attempts: 2 };

type Writes = {
  /** Appends a piece. */
  append(text: string): Promise<void>;
  /** Appends what is missing of the whole text so far. */
  complete(text: string): Promise<void>;
};

/** What is left when a stream has ended. */
export type UnwrittenText = {
  /** The end of the text, which was not tried to be written. Empty when there is none. */
  rest: string;
  /** How many pieces were written, or may have been. */
  pieces: number;
  /** The whole text, if it is not known whether all before `rest` is written. */
  whole?: string;
};

/**
 * Writes streamed text in few pieces. The first piece is what comes in one moment. Each later one is what was buffered
 * during the previous write and a pause of at least 40 ms, longer while writes are slow. Pieces keep their order. After
 * a failed write it is not known whether the piece is stored: the next write completes the whole text. The stream must
 * not fail the call: text that is not written is left to the caller of `close`.
 *
 * @param onFailure called for each failed write
 */
export function createTextWriter(writes: Writes, onFailure: (error: unknown) => void) {
  let whole = '';
  let buffered = '';
  let inDoubt = false;
  let pieces = 0;
  let running: Promise<void> | undefined;
  const closing = new AbortController();
  const isClosing = () => closing.signal.aborted;
  const pauseFor = (ms: number) => sleep(ms, undefined, { signal: closing.signal }).catch(() => {});

  const drain = async () => {
    await nextTurn();
    for (let failures = 0; (inDoubt || (buffered && !isClosing())) && failures < retry.attempts;) {
      const text = buffered;
      buffered = '';
      try {
        const startedAt = performance.now();
        pieces++;
        await (inDoubt ? writes.complete(whole) : writes.append(text));
        inDoubt = false;
        failures = 0;
        const pauseMs = pausePerWrite * (performance.now() - startedAt);
        if (!isClosing()) await pauseFor(Math.min(bufferMs.max, Math.max(bufferMs.min, pauseMs)));
      } catch (error) {
        onFailure(error);
        inDoubt = true;
        if (isClosing()) failures++;
        await sleep(retry.waitMs);
      }
    }
    running = undefined;
  };

  return {
    write(text: string) {
      if (text === '') return;
      whole += text;
      buffered += text;
      running ??= drain();
    },
    /** Ends the pause between two pieces, but waits for a write under way. */
    async close(): Promise<UnwrittenText> {
      closing.abort();
      while (running) await running;
      return inDoubt ? { rest: '', pieces, whole } : { rest: buffered, pieces };
    },
  };
}
