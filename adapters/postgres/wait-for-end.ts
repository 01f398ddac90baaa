import type { EventListener } from './event-listener.ts';

/**
 * Waits for the end of a task or upload. NOTIFY only wakes this loop, which then asks.
 *
 * @param hasEnded also true when there is nothing with that id
 */
export async function waitForEnd(
  listener: EventListener,
  id: string,
  signal: AbortSignal,
  hasEnded: () => Promise<boolean>,
): Promise<void> {
  const wakeUps = listener.listen(id, 'end');
  try {
    while (!signal.aborted) {
      wakeUps.arm();
      if (await hasEnded()) return;
      await wakeUps.next(signal);
    }
  } finally {
    wakeUps.close();
  }
}
