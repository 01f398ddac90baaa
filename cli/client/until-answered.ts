import { Unreachable } from './api-client.ts';
import { createBackoff, isTransient } from './backoff.ts';

type Options = {
  /** Called when the wait begins, with the error and what happens now. */
  notify: (line: string) => void;
  /** The server has answered before: a refused connection is an outage, not a server that was never started. */
  hasAnsweredBefore?: boolean;
  signal?: AbortSignal;
};

/**
 * Repeats a request until the server answers it. Only for requests that are safe to repeat.
 *
 * @throws an error that waiting cannot help, and any error when the server has not answered for a minute
 */
export async function untilAnswered<T>(
  request: () => Promise<T>,
  { notify, hasAnsweredBefore = false, signal }: Options,
): Promise<T> {
  const backoff = createBackoff({
    giveUpAfterMs: 60_000,
    signal,
    onWait: (error) => notify(`${error.message.split('\n')[0]}\nTrying again …`),
  });
  let isFirstAttempt = true;
  while (true) {
    try {
      return await request();
    } catch (error) {
      // Refused at the first attempt: most likely no server was started, and waiting does not help.
      const isNotStarted =
        isFirstAttempt && !hasAnsweredBefore && error instanceof Unreachable && error.neverReachedServer;
      if (!isTransient(error) || isNotStarted) throw error;
      isFirstAttempt = false;
      await backoff.wait(error as Error);
    }
  }
}
