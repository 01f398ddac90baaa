import type { EventListener } from './event-listener.ts';

/** The largest number of events that are yielded at once. */
const pageSize = 500;

type RowSource<E> = {
  /** The task, conversation or upload that NOTIFY names. */
  id: string;
  after: number;
  signal: AbortSignal;
  read: (after: number, limit: number) => Promise<E[]>;
  isLast: (event: E) => boolean;
  /** Called when there is no event after `after`: whether there will never be one. */
  isOver: (after: number) => Promise<boolean>;
};

/**
 * Yields numbered rows as they appear. NOTIFY only wakes this loop, which then reads the rows.
 *
 * Ends after the last event, when `isOver`, and on abort.
 */
export async function* followRows<E extends { seq: number }>(
  listener: EventListener,
  { id, after, signal, read, isLast, isOver }: RowSource<E>,
): AsyncGenerator<E[]> {
  const wakeUps = listener.listen(id);
  try {
    while (!signal.aborted) {
      wakeUps.arm();
      const events = await read(after, pageSize);
      const last = events.at(-1);
      if (!last) {
        if (await isOver(after)) {
          // Rows may have come between the two.
          const rest = await read(after, pageSize);
          if (rest.length === 0) return;
          yield rest;
          after = rest.at(-1)?.seq ?? after;
          continue;
        }
        await wakeUps.next(signal);
        continue;
      }
      yield events;
      after = last.seq;
      if (isLast(last) && events.length < pageSize) return;
    }
  } finally {
    wakeUps.close();
  }
}
