/** A signal that aborts after `limitMs`, unless it is cleared or extended before. */
export function createTimeLimit(limitMs: number) {
  const controller = new AbortController();
  const startedAt = Date.now();
  const end = () => controller.abort(new DOMException('The time is over.', 'TimeoutError'));
  let timer = setTimeout(end, limitMs);
  return {
    signal: controller.signal,
    limitMs: () => limitMs,
    /** Sets the limit, counted from the beginning. A shorter one changes nothing. */
    extendTo(longerMs: number) {
      if (longerMs <= limitMs) return;
      clearTimeout(timer);
      limitMs = longerMs;
      timer = setTimeout(end, startedAt + longerMs - Date.now());
    },
    clear: () => clearTimeout(timer),
  };
}
