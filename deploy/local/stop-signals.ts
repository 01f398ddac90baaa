/** Ctrl-C at a terminal arrives from the terminal, from npm and from the process that started us: within this time it is one. */
const sameMs = 1_000;

/**
 * Waits for a wish to stop: a signal, or the end of the process that started us.
 *
 * @returns what came first; a further one, after a moment, ends the process at once through `again`
 */
export function waitForStop(again: () => void): Promise<string> {
  let firstAt: number | undefined;
  return new Promise((resolve) => {
    const wish = (what: string) => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        resolve(what);
      } else if (Date.now() - firstAt > sameMs) again();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => wish(signal));
    process.once('disconnect', () => wish('the end of npm start'));
  });
}
