import { withTimeout } from './with-timeout.ts';

/**
 * Makes a check that several callers may ask as often as they like. At most one run is under way, and its result counts
 * for some time. A run that hangs, as a file on a lost network disk does, counts as failed and no other one is started
 * beside it: each would hold one of the few threads on which all file work of the process runs.
 *
 * @param check     rejects when something is wrong
 * @param freshMs   how long a result counts
 * @param timeoutMs how long a run may take before it counts as failed
 * @param late      the message then
 */
export function shareCheck(
  check: () => Promise<void>,
  { freshMs, timeoutMs, late }: { freshMs: number; timeoutMs: number; late: string },
): () => Promise<void> {
  let last: { result: Promise<void>; startedAt: number; endedAt: number } | undefined;

  const start = () => {
    const run = { result: check(), startedAt: performance.now(), endedAt: Infinity };
    const end = () => {
      run.endedAt = performance.now();
    };
    run.result.then(end, end);
    return run;
  };

  return async () => {
    if (!last || performance.now() - last.endedAt >= freshMs) last = start();
    const { result, startedAt, endedAt } = last;
    if (endedAt < Infinity) return result;
    const leftMs = startedAt + timeoutMs - performance.now();
    return withTimeout(result, Math.max(0, leftMs), () => {
      throw new Error(late);
    });
  };
}
