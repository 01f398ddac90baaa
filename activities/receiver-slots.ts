/** Deliveries to one receiver that one worker process makes at the same time. */
const perReceiver = 4;
/** The longest a delivery is put off, in milliseconds. */
const longestWaitMs = 10 * 60_000;
/** How long a delivery is expected to take before one has ended. In milliseconds. */
const expectedMs = 1_000;
/** With more receivers than that, slow ones are forgotten too. */
const mostRemembered = 1_000;

type Receiver = { running: number; durationMs: number; nextFreeAt: number };

/**
 * Bounds how many deliveries to one receiver are under way, so that a receiver which does not answer takes a few of a
 * worker's activity slots and not all of them.
 *
 * A delivery that finds no slot is put off: the first one until a slot is expected to be free, each further one a
 * little longer, as if they stood in a line. So thousands that wait for one receiver cost few attempts.
 */
export function createReceiverSlots(now: () => number = Date.now) {
  const receivers = new Map<string, Receiver>();
  return {
    /** @returns the function that gives the slot back, or how long to wait for one */
    take(name: string): { release: () => void } | { waitMs: number } {
      const receiver = receivers.get(name) ?? { running: 0, durationMs: expectedMs, nextFreeAt: 0 };
      receivers.set(name, receiver);
      if (receiver.running >= perReceiver) {
        receiver.nextFreeAt = Math.max(receiver.nextFreeAt, now()) + receiver.durationMs / perReceiver;
        return { waitMs: Math.min(Math.ceil(receiver.nextFreeAt - now()), longestWaitMs) };
      }
      receiver.running++;
      const startedAt = now();
      return {
        release: () => {
          receiver.running--;
          receiver.durationMs = Math.max(1, now() - startedAt);
          // An idle receiver that answers is forgotten. How slow another one is counts for those in its line.
          const isQuick = receiver.durationMs <= expectedMs || receivers.size > mostRemembered;
          if (receiver.running === 0 && isQuick) receivers.delete(name);
        },
      };
    },
    /** Receivers that are remembered now. */
    get size() {
      return receivers.size;
    },
  };
}
