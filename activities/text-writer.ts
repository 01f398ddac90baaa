/** How long text may gather before it is written; short enough to read as a stream. */
const gatherMs = 40;

/**
 * Writes streamed text in few pieces: the first one at once, then whatever gathered while the write before was under
 * way or within 40 ms. Pieces keep their order. The first failed write stops it, and `close` throws it.
 */
export function createTextWriter(write: (text: string) => Promise<void>) {
  let gathered = '';
  let running: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  let closing = false;

  const drain = async () => {
    while (gathered && !failure) {
      const text = gathered;
      gathered = '';
      try {
        await write(text);
        if (!closing) await new Promise((resolve) => setTimeout(resolve, gatherMs));
      } catch (error) {
        failure = { error };
      }
    }
    running = undefined;
  };

  return {
    write(text: string) {
      gathered += text;
      running ??= drain();
    },
    async close() {
      closing = true;
      while (running) await running;
      if (failure) throw failure.error;
    },
  };
}
