/** Two signals within this time are one Ctrl-C: the terminal and a parent process may both send it. */
const duplicateMs = 250;

/**
 * Handles Ctrl-C and SIGTERM: the first one calls `first`, every later one calls `second`.
 *
 * @returns removes the handlers
 */
export function onInterrupt(first: () => void, second: () => void): () => void {
  let firstAtMs: number | undefined;
  const handle = () => {
    const now = Date.now();
    if (firstAtMs === undefined) {
      firstAtMs = now;
      first();
    } else if (now - firstAtMs > duplicateMs) {
      second();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handle);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, handle);
  };
}
