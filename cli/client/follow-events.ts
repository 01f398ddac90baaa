import { createParser } from 'eventsource-parser';
import type { z } from 'zod';
import { ConversationEvent } from '../../contract/conversation.ts';
import { isTerminalEvent, TaskEvent } from '../../contract/events.ts';
import { IngestionEvent, isLastIngestionEvent } from '../../contract/ingestion-events.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { ApiClient } from './api-client.ts';
import { CliError } from '../cli-error.ts';
import { createBackoff, isTransient } from './backoff.ts';

/** The server sends at least a heartbeat every 15 s. A connection that is silent for longer than this is dead. */
const defaultSilenceMs = 40_000;
const defaultGiveUpAfterMs = 120_000;
/** A connection on which something arrives after this is healthy, even when it is no event. */
const healthyMs = 5_000;
/** A gap in the numbers that is still there after this many reconnects in a row is an error of the server. */
const gapReconnects = 3;

type Options = {
  /** Only events with a higher number. */
  after?: number;
  signal?: AbortSignal;
  /** Called once an outage, when the connection is lost and the wait begins. */
  onWait?: () => void;
  /** Reconnect when nothing has arrived for this long. Default: 40 s. */
  silenceMs?: number;
  /** Throw when the server has not answered for this long. Default: two minutes. */
  giveUpAfterMs?: number;
};

/** A stream of numbered events over SSE. */
type EventStream<E extends { seq: number }> = {
  path: string;
  schema: z.ZodType<E>;
  isLast: (event: E) => boolean;
  /** For error messages: `task <id>`. */
  name: string;
  /** For error messages: the command that shows the events without following them. */
  listCommand: string;
};

/** Yields every event of a task, until the terminal one. See `follow`. */
export const followEvents = (api: ApiClient, taskId: string, options: Options = {}): AsyncGenerator<TaskEvent> =>
  follow(
    api,
    {
      path: `/v1/tasks/${encodeURIComponent(taskId)}/events`,
      schema: TaskEvent,
      isLast: isTerminalEvent,
      name: `task ${taskId}`,
      listCommand: `alfred tasks events ${taskId}`,
    },
    options,
  );

/** Yields every event of an upload, until it has ended. See `follow`. */
export const followIngestion = (api: ApiClient, id: string, options: Options = {}) =>
  follow<IngestionEvent>(
    api,
    {
      path: `/v1/ingestions/${encodeURIComponent(id)}/events`,
      schema: IngestionEvent,
      isLast: isLastIngestionEvent,
      name: `upload ${id}`,
      listCommand: `alfred documents follow ${id}`,
    },
    options,
  );

/** Yields every event of a conversation, until it is deleted. See `follow`. */
export const followConversation = (api: ApiClient, id: string, options: Options = {}) =>
  follow<ConversationEvent>(
    api,
    {
      path: `/v1/conversations/${encodeURIComponent(id)}/events`,
      schema: ConversationEvent,
      isLast: ({ type }) => type === 'conversation.deleted',
      name: `conversation ${id}`,
      listCommand: `alfred conversations show ${id}`,
    },
    options,
  );

/**
 * Yields every event in order, without gaps or duplicates, until the last one. Reconnects after broken connections and
 * server restarts, and continues after the last event it has.
 *
 * @throws when the id does not exist, when a gap stays, and when the server has not answered for two minutes
 */
async function* follow<E extends { seq: number }>(
  api: ApiClient,
  stream: EventStream<E>,
  options: Options,
): AsyncGenerator<E> {
  let after = options.after ?? 0;
  let gaps = 0;
  const backoff = createBackoff({
    giveUpAfterMs: options.giveUpAfterMs ?? defaultGiveUpAfterMs,
    signal: options.signal,
    onWait: () => options.onWait?.(),
  });
  while (true) {
    try {
      const connection = { hasNoMoreEvents: false, fellSilent: false, onHealthy: () => backoff.reset() };
      for await (const event of eventsOfConnection(api, stream, { ...options, after }, connection)) {
        backoff.reset();
        if (event.seq <= after) continue;
        if (event.seq > after + 1) {
          if (++gaps > gapReconnects)
            throw new CliError(
              `The event stream of ${stream.name} has a gap after event ${after}. See \`${stream.listCommand}\`.`,
            );
          break;
        }
        gaps = 0;
        after = event.seq;
        yield event;
        if (stream.isLast(event)) return;
      }
      if (connection.hasNoMoreEvents) return;
      await backoff.wait(
        new CliError(
          `The event stream of ${stream.name} ${connection.fellSilent ? 'stays silent' : 'keeps closing'}. What runs goes on; see \`${stream.listCommand}\`.`,
        ),
      );
    } catch (error) {
      if (options.signal?.aborted || !isTransient(error)) throw error;
      await backoff.wait(error as Error);
    }
  }
}

/**
 * Yields the events of one connection. Ends when the connection closes, breaks or falls silent.
 *
 * @param connection `hasNoMoreEvents` is set when the server answers 204: the task ended with the event `after`.
 *                   `onHealthy` is called when something arrives on a connection that has lasted for a while.
 *                   `fellSilent` is set when nothing came for `silenceMs`
 */
async function* eventsOfConnection<E extends { seq: number }>(
  api: ApiClient,
  { path, schema }: EventStream<E>,
  { after, signal, silenceMs = defaultSilenceMs }: Options & { after: number },
  connection: { hasNoMoreEvents: boolean; fellSilent: boolean; onHealthy: () => void },
): AsyncGenerator<E> {
  const silence = new AbortController();
  const abort = linkAbort(signal ? [silence.signal, signal] : [silence.signal]);
  // The clock runs while the connection is read only: a reader of the events may take its time.
  let timer: NodeJS.Timeout | undefined;
  const listen = () => (timer = setTimeout(() => silence.abort(), silenceMs));
  const arrived: E[] = [];
  const parser = createParser({ onEvent: ({ data }) => arrived.push(parseEvent(schema, data)) });
  listen();
  try {
    const response = await api.open(path, {
      headers: { accept: 'text/event-stream', ...(after > 0 ? { 'last-event-id': String(after) } : {}) },
      signal: abort.signal,
    });
    connection.hasNoMoreEvents = response.status === 204;
    const decoder = new TextDecoder();
    const openedAt = Date.now();
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      if (Date.now() - openedAt > healthyMs) connection.onHealthy();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* arrived.splice(0);
      listen();
    }
  } catch (error) {
    if (signal?.aborted || isTransient(error) || error instanceof CliError) throw error;
    connection.fellSilent = silence.signal.aborted;
    // The connection broke in the middle of a response: `follow` reconnects.
  } finally {
    clearTimeout(timer);
    // Closes the connection when the reader has stopped early.
    silence.abort();
    abort.release();
  }
}

function parseEvent<E>(schema: z.ZodType<E>, data: string): E {
  const parsed = schema.safeParse(JSON.parse(data));
  if (parsed.success) return parsed.data;
  throw new CliError(
    `An event is not what this version expects: ${data.slice(0, 200)}\nDo the command and the server have the same version?`,
  );
}
