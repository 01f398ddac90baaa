/**
 * Lets concurrent callers share one run of `work`, where each must see all that happened before its call: a run that is
 * under way may have looked already, so whoever comes meanwhile shares the next one.
 */
export function createShared(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    next = undefined;
    return (running = work().finally(() => (running = undefined)));
  };
  return () => next ?? (running ? (next = running.then(start, start)) : start());
}
