import { withTimeout } from '../../runtime/with-timeout.ts';

/** How long a browser waits before it reconnects, in milliseconds. */
const reconnectMs = 1_000;

type Event = { seq: number; type: string };

const frame = (event: Event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/**
 * Writes server-sent events: one frame per event, and a comment after every `heartbeatMs` of silence.
 *
 * The reader's connection pulls the frames: no events are read from the database for a reader that does not read.
 * Ends when `batches` ends, then with `reason()` as a comment, if it gives one.
 */
export async function* toEventStream(
  batches: AsyncIterable<Event[]>,
  heartbeatMs: number,
  reason: () => string | undefined = () => undefined,
): AsyncGenerator<string> {
  const source = batches[Symbol.asyncIterator]();
  // Sent at once, so that the reader sees that the stream is open.
  yield `retry: ${reconnectMs}\n\n`;
  try {
    let next = source.next();
    while (true) {
      const batch = await withTimeout(next, heartbeatMs, () => 'silence' as const);
      if (batch === 'silence') {
        yield ': still here\n\n';
        continue;
      }
      if (batch.done) {
        const words = reason();
        if (words !== undefined) yield `: ${words}\n\n`;
        return;
      }
      yield batch.value.map(frame).join('');
      next = source.next();
    }
  } finally {
    await source.return?.();
  }
}
