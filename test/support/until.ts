import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

type Missing = false | undefined | null;

interface Polling {
  /** Default 60 s, for slow machines. It is below the time limit of a test. */
  withinMs?: number;
  everyMs?: number;
}

/**
 * Polls until there is a value: not `false`, `undefined` or `null`, and one that `accept` takes. An error of `read`
 * ends the wait at once.
 *
 * @returns that value
 * @throws after the deadline, with what it waited for and the last value
 */
export async function until<T>(
  description: string,
  read: () => T | Promise<T>,
  {
    accept = () => true,
    withinMs = 60_000,
    everyMs = 25,
  }: Polling & { accept?: (value: Exclude<T, Missing>) => boolean } = {},
): Promise<Exclude<T, Missing>> {
  const deadline = performance.now() + withinMs;
  while (true) {
    const value = await read();
    if (isPresent(value) && accept(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`not within ${withinMs} ms: ${description}; last seen: ${inspect(value, { depth: 6 })}`);
    await sleep(everyMs);
  }
}

/**
 * Repeats an assertion until it passes.
 *
 * @throws after the deadline, with what it waited for and the last error
 */
export async function untilPasses(
  description: string,
  assertion: () => unknown,
  { withinMs = 60_000, everyMs = 25 }: Polling = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (true) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`not within ${withinMs} ms: ${description}; last error: ${inspect(error)}`, { cause: error });
    }
    await sleep(everyMs);
  }
}

/** Never resolves; rejects with the reason of the abort. For work that lasts until it is cancelled. */
export const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

const isPresent = <T>(value: T): value is Exclude<T, Missing> =>
  value !== false && value !== undefined && value !== null;
