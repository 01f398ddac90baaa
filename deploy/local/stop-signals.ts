/** One Ctrl-C arrives up to three times: from the terminal, npm and start.mjs. Within this time they count as one. */
const debounceMs = 1_000;

/**
 * Waits for a request to stop: a signal, or the end of the process that started us.
 *
 * @param onRepeat called for a second request, which comes at least `debounceMs` after the first
 * @returns the name of the first signal, or a description of the first event
 */
export function waitForStop(onRepeat: () => void): Promise<string> {
  let firstAt: number | undefined;
  return new Promise((resolve) => {
    const request = (reason: string) => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        resolve(reason);
      } else if (Date.now() - firstAt > debounceMs) onRepeat();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => request(signal));
    process.once('disconnect', () => request('the end of npm start'));
  });
}
