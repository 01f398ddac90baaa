/** A terminal and a parent process may both pass on the same Ctrl-C. */
const sameMs = 250;

/**
 * Watches for Ctrl-C (and SIGTERM): calls `first` once, and for the next one `second`.
 *
 * @returns stops watching
 */
export function onInterrupt(first: () => void, second: () => void): () => void {
  let at: number | undefined;
  const handle = () => {
    const now = Date.now();
    if (at === undefined) {
      at = now;
      first();
    } else if (now - at > sameMs) {
      second();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handle);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, handle);
  };
}
