import { createParser } from 'eventsource-parser';
import type { z } from 'zod';
import { ConversationEvent } from '../../contract/conversation.ts';
import { TaskEvent } from '../../contract/events.ts';
import type { ApiClient } from './api-client.ts';
import { CliError } from '../cli-error.ts';
import { createPatience, isPassing } from './backoff.ts';

/** The server sends something at least every 15 s; a line silent for longer is dead. */
const silenceMs = 40_000;
const patienceMs = 120_000;

/** What a task ends with. */
export type LastEvent = Extract<TaskEvent, { type: 'task.completed' | 'task.failed' | 'task.cancelled' }>;

export const isLast = (event: TaskEvent): event is LastEvent =>
  event.type === 'task.completed' || event.type === 'task.failed' || event.type === 'task.cancelled';

type Options = {
  /** Only events with a higher number. */
  after?: number;
  signal?: AbortSignal;
  /** Called once whenever the connection is lost and the follower begins to wait. */
  onWait?: () => void;
  silenceMs?: number;
  patienceMs?: number;
};

/** A stream of numbered events: where it is, what is on it, and what is said about it. */
type Source<E extends { seq: number }> = {
  path: string;
  schema: z.ZodType<E>;
  isLast: (event: E) => boolean;
  name: string;
  /** The command that shows it without following. */
  see: string;
};

/** Every event of a task, until the one that ends it. As `follow`. */
export const followEvents = (api: ApiClient, taskId: string, options: Options = {}): AsyncGenerator<TaskEvent> =>
  follow(
    api,
    {
      path: `/v1/tasks/${encodeURIComponent(taskId)}/events`,
      schema: TaskEvent,
      isLast,
      name: `task ${taskId}`,
      see: `alfred tasks events ${taskId}`,
    },
    options,
  );

/** Every event of a conversation, until it is deleted. As `follow`. */
export const followConversation = (api: ApiClient, id: string, options: Options = {}) =>
  follow<ConversationEvent>(
    api,
    {
      path: `/v1/conversations/${encodeURIComponent(id)}/events`,
      schema: ConversationEvent,
      isLast: ({ type }) => type === 'conversation.deleted',
      name: `conversation ${id}`,
      see: `alfred conversations show ${id}`,
    },
    options,
  );

/**
 * Every event in order, without gap or duplicate, until the last one. Broken connections and restarts of the server are
 * waited out and the stream taken up where it stopped.
 *
 * @throws when there is nothing of that id, or nothing has answered for two minutes
 */
async function* follow<E extends { seq: number }>(
  api: ApiClient,
  source: Source<E>,
  options: Options,
): AsyncGenerator<E> {
  let after = options.after ?? 0;
  let gaps = 0;
  const patience = createPatience({
    limitMs: options.patienceMs ?? patienceMs,
    signal: options.signal,
    onWait: () => options.onWait?.(),
  });
  for (;;) {
    const opened = Date.now();
    // A line that held for a while was good, though nothing happened; one that closes at once, again and again, is not.
    const judge = () => Date.now() - opened > 5_000 && patience.restore();
    try {
      const told = { ended: false };
      for await (const event of connection(api, source, after, options, told)) {
        patience.restore();
        if (event.seq <= after) continue;
        if (event.seq > after + 1) {
          if (++gaps > 3)
            throw new CliError(
              `The event stream of ${source.name} has a gap after event ${after}. See \`${source.see}\`.`,
            );
          break;
        }
        gaps = 0;
        after = event.seq;
        yield event;
        if (source.isLast(event)) return;
      }
      if (told.ended) return;
      judge();
      await patience.wait(
        new CliError(`The event stream of ${source.name} keeps closing. What runs goes on; see \`${source.see}\`.`),
      );
    } catch (error) {
      if (options.signal?.aborted || !isPassing(error)) throw error;
      judge();
      await patience.wait(error as Error);
    }
  }
}

/** One connection: yields what arrives; ends when the line closes, breaks or falls silent. */
async function* connection<E extends { seq: number }>(
  api: ApiClient,
  { path, schema }: Source<E>,
  after: number,
  { signal, silenceMs: limit = silenceMs }: Options,
  told: { ended: boolean },
): AsyncGenerator<E> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), limit);
  const arrived: E[] = [];
  const parser = createParser({ onEvent: ({ data }) => arrived.push(eventOf(schema, data)) });
  try {
    const response = await api.open(path, {
      headers: { accept: 'text/event-stream', ...(after > 0 ? { 'last-event-id': String(after) } : {}) },
      signal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
    });
    // The task has ended and the last event was the one we have.
    told.ended = response.status === 204;
    const decoder = new TextDecoder();
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), limit);
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* arrived.splice(0);
    }
  } catch (error) {
    if (signal?.aborted || isPassing(error) || error instanceof CliError) throw error;
    // The line broke in the middle: the follower connects again.
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function eventOf<E>(schema: z.ZodType<E>, data: string): E {
  const parsed = schema.safeParse(JSON.parse(data));
  if (parsed.success) return parsed.data;
  throw new CliError(
    `An event is not what this version expects: ${data.slice(0, 200)}\nDo the command and the server have the same version?`,
  );
}
