import type { EventListener } from './event-listener.ts';

/** Pages of events are this long at the most. */
const pageSize = 500;

type Followed<E> = {
  /** Of the task or conversation, as NOTIFY names it. */
  id: string;
  after: number;
  signal: AbortSignal;
  read: (after: number, limit: number) => Promise<E[]>;
  isLast: (event: E) => boolean;
  /** Asked when nothing came: whether nothing will come any more. */
  isOver: (after: number) => Promise<boolean>;
};

/** Numbered rows as they appear: read, then woken by NOTIFY to read on. Nothing is sent beside them. */
export async function* followRows<E extends { seq: number }>(
  listener: EventListener,
  { id, after, signal, read, isLast, isOver }: Followed<E>,
): AsyncGenerator<E[]> {
  const wakes = listener.listen(id);
  try {
    while (!signal.aborted) {
      wakes.arm();
      const events = await read(after, pageSize);
      const last = events.at(-1);
      if (!last) {
        if (await isOver(after)) return;
        await wakes.next(signal);
        continue;
      }
      yield events;
      after = last.seq;
      if (isLast(last) && events.length < pageSize) return;
    }
  } finally {
    wakes.close();
  }
}
