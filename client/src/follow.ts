import { AlfredError } from './alfred-error.ts';
import { createBackoff } from './backoff.ts';
import { createDeadline } from './deadline.ts';
import { createEventParser } from './event-parser.ts';
import { noAnswer, notAlfred, unreachable } from './refusal.ts';
import { open, type Server } from './server.ts';

/** The server sends a comment every 10 s. A connection that is silent for longer than this is dead. */
const defaultSilenceMs = 40_000;
const defaultGiveUpAfterMs = 120_000;
/** A connection that lasted longer than this was healthy, even when no event arrived on it. */
const healthyMs = 5_000;
/** A gap in the numbers that is still there after so many new connections is a fault of the server. */
const gapConnections = 3;

export type FollowOptions = {
  /** Only events with a higher `seq`: the last one that you have. Default: 0, from the beginning. */
  after?: number | undefined;
  /** Ends the stream with the signal's reason. What is followed goes on. */
  signal?: AbortSignal | undefined;
  /** A connection on which nothing arrives for this long is replaced, in milliseconds. Default: 40 s. */
  silenceMs?: number | undefined;
  /** Gives up when no server has answered for this long, in milliseconds. Default: two minutes. */
  giveUpAfterMs?: number | undefined;
};

type Numbered = { seq: number; type: string };
type Stream<E> = { path: string; isLast: (event: E) => boolean };

/**
 * Yields every event once and in order, until the last one. Broken and silent connections and restarts of the server
 * are bridged: a new connection goes on after the last event.
 *
 * @throws AlfredError, or the reason of `signal`
 */
export async function* follow<E extends Numbered>(
  server: Server,
  { path, isLast }: Stream<E>,
  { after: from = 0, signal, silenceMs = defaultSilenceMs, giveUpAfterMs = defaultGiveUpAfterMs }: FollowOptions,
): AsyncGenerator<E, void, undefined> {
  let after = from;
  let gaps = 0;
  const backoff = createBackoff({ giveUpAfterMs, signal, onWait: server.onWait });
  while (true) {
    signal?.throwIfAborted();
    const openedAt = Date.now();
    let failure: AlfredError;
    try {
      const connection = { path, after, silenceMs, isOver: false };
      for await (const event of eventsOfConnection<E>(server, connection, signal)) {
        backoff.reset();
        if (event.seq <= after) continue;
        if (event.seq > after + 1) {
          if (++gaps <= gapConnections) break;
          throw new AlfredError('events_missing', `${path} has no event ${after + 1}, but has ${event.seq}.`);
        }
        gaps = 0;
        after = event.seq;
        yield event;
        if (isLast(event)) return;
      }
      if (connection.isOver) return;
      failure = unreachable(server.url, new Error(`the stream ${path} was closed before its last event`));
    } catch (error) {
      if (!(error instanceof AlfredError) || !error.retryable) throw error;
      failure = error;
    }
    if (Date.now() - openedAt > healthyMs) backoff.reset();
    await backoff.wait(failure);
  }
}

type Connection = { path: string; after: number; silenceMs: number; isOver: boolean };

/**
 * Yields the events of one connection, and ends when that closes.
 *
 * @param connection `isOver` is set when the server says that no more events come
 */
async function* eventsOfConnection<E extends Numbered>(
  server: Server,
  connection: Connection,
  signal: AbortSignal | undefined,
): AsyncGenerator<E, void, undefined> {
  const { path, after, silenceMs } = connection;
  const headers = { accept: 'text/event-stream', ...(after > 0 ? { 'last-event-id': String(after) } : {}) };
  const call = { method: 'GET', path, headers };
  const deadline = createDeadline(signal);
  let limitMs = server.timeoutMs;
  try {
    const response = await deadline.within(limitMs, () => open(server, call, deadline.signal));
    connection.isOver = response.status === 204;
    if (connection.isOver) return;
    const type = response.headers.get('content-type') ?? 'nothing';
    if (!type.startsWith('text/event-stream') || !response.body)
      throw notAlfred(server.url, call, `answered ${type} in place of a stream`, response.status);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parse = createEventParser();
    limitMs = silenceMs;
    while (true) {
      // The clock runs while the connection is read only: a reader of the events may take its time.
      const { done, value } = await deadline.within(limitMs, () => read(reader, server.url, deadline.signal));
      if (done) return;
      for (const data of parse(decoder.decode(value, { stream: true }))) {
        const event = eventOf<E>(data);
        if (!event) throw notAlfred(server.url, call, `sent the event ${data.slice(0, 200)}`);
        yield event;
      }
    }
  } catch (error) {
    throw deadline.isTooLate() ? noAnswer(server.url, call, limitMs) : error;
  } finally {
    // Closes the connection when the events are no longer read.
    deadline.close();
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, url: string, signal: AbortSignal) {
  try {
    return await reader.read();
  } catch (error) {
    throw signal.aborted ? error : unreachable(url, error);
  }
}

function eventOf<E extends Numbered>(data: string): E | undefined {
  try {
    const event = JSON.parse(data) as E | null;
    return Number.isInteger(event?.seq) ? (event as E) : undefined;
  } catch {
    return undefined;
  }
}
