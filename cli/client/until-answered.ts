import { Unreachable } from './api-client.ts';
import { createPatience, isPassing } from './backoff.ts';

type Options = {
  say: (line: string) => void;
  /** It has answered before, so it is away for a while only. */
  wasThere?: boolean;
  signal?: AbortSignal;
};

/**
 * Repeats a request until the server answers it. Only for requests that are safe to repeat.
 *
 * @throws what waiting cannot help, and anything once nothing has answered for a minute
 */
export async function untilAnswered<T>(
  request: () => Promise<T>,
  { say, wasThere = false, signal }: Options,
): Promise<T> {
  const patience = createPatience({
    limitMs: 60_000,
    signal,
    onWait: (error) => say(`${error.message.split('\n')[0]}\nTrying again …`),
  });
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      // Nobody there at the first knock: most likely nothing was started.
      const isNobody = attempt === 1 && !wasThere && error instanceof Unreachable && error.isRefused;
      if (!isPassing(error) || isNobody) throw error;
      await patience.wait(error as Error);
    }
  }
}
