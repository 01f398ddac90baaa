/**
 * Waits for `work`, but no longer than `timeoutMs`. The work itself is not stopped: pass it a signal where it takes
 * one.
 *
 * @param onTimeout called when the time is over first; its value is the result, or what it throws the error
 */
export async function withTimeout<T, Late>(
  work: T | Promise<T>,
  timeoutMs: number,
  onTimeout: () => Late,
): Promise<T | Late> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, timeoutMs);
  try {
    return await Promise.race([work, timeout.promise.then(onTimeout)]);
  } finally {
    clearTimeout(timer);
  }
}
