/**
 * Shares runs among concurrent callers. Every caller gets a run that started after its call, so the run sees everything
 * that happened before the call. For each key at most one run is under way and one waits for it; callers that come
 * meanwhile share the waiting one. A run that fails rejects for the callers that share it, and the next run still
 * starts.
 *
 * @param run   the work for one target
 * @param keyOf targets with the same key share runs; without it, the target is its own key
 */
export function coalesce<Target, Result>(
  run: (target: Target) => Promise<Result>,
  keyOf: (target: Target) => unknown = (target) => target,
): (target: Target) => Promise<Result> {
  const running = new Map<unknown, Promise<Result>>();
  const waiting = new Map<unknown, Promise<Result>>();

  const runAfter = async (previous: Promise<Result> | undefined, target: Target, key: unknown): Promise<Result> => {
    await previous?.catch(() => {});
    waiting.delete(key);
    const current = run(target);
    running.set(key, current);
    try {
      return await current;
    } finally {
      if (running.get(key) === current) running.delete(key);
    }
  };

  return (target) => {
    const key = keyOf(target);
    const shared = waiting.get(key) ?? runAfter(running.get(key), target, key);
    waiting.set(key, shared);
    return shared;
  };
}
