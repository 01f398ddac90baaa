import { createParser } from 'eventsource-parser';
import { TaskEvent } from '../contract/events.ts';
import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { createPatience, isPassing } from './patience.ts';

/** The server sends something at least every 15 s; a line silent for longer is dead. */
const silenceMs = 40_000;
const patienceMs = 120_000;

export const isLast = ({ type }: TaskEvent) =>
  type === 'task.completed' || type === 'task.failed' || type === 'task.cancelled';

type Options = {
  /** Only events with a higher number. */
  after?: number;
  signal?: AbortSignal;
  /** Called once whenever the connection is lost and the follower begins to wait. */
  onWait?: () => void;
  silenceMs?: number;
  patienceMs?: number;
};

/**
 * Every event of a task in order, without gap or duplicate, until the one that ends it. Broken connections and restarts of
 * the server are waited out and the stream taken up where it stopped.
 *
 * @throws when the task is unknown, or nothing has answered for two minutes
 */
export async function* followEvents(api: ApiClient, taskId: string, options: Options = {}): AsyncGenerator<TaskEvent> {
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
      for await (const event of connection(api, taskId, after, options, told)) {
        patience.restore();
        if (event.seq <= after) continue;
        if (event.seq > after + 1) {
          if (++gaps > 3)
            throw new CliError(
              `The event stream of task ${taskId} has a gap after event ${after}. See \`alfred tasks events ${taskId}\`.`,
            );
          break;
        }
        gaps = 0;
        after = event.seq;
        yield event;
        if (isLast(event)) return;
      }
      if (told.ended) return;
      judge();
      await patience.wait(
        new CliError(
          `The event stream of task ${taskId} keeps closing. The task goes on; see \`alfred tasks show ${taskId}\`.`,
        ),
      );
    } catch (error) {
      if (options.signal?.aborted || !isPassing(error)) throw error;
      judge();
      await patience.wait(error as Error);
    }
  }
}

/** One connection: yields what arrives; ends when the line closes, breaks or falls silent. */
async function* connection(
  api: ApiClient,
  taskId: string,
  after: number,
  { signal, silenceMs: limit = silenceMs }: Options,
  told: { ended: boolean },
): AsyncGenerator<TaskEvent> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), limit);
  const arrived: TaskEvent[] = [];
  const parser = createParser({ onEvent: ({ data }) => arrived.push(eventOf(data)) });
  try {
    const response = await api.open(`/v1/tasks/${encodeURIComponent(taskId)}/events`, {
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

function eventOf(data: string): TaskEvent {
  const parsed = TaskEvent.safeParse(JSON.parse(data));
  if (parsed.success) return parsed.data;
  throw new CliError(
    `An event is not what this version expects: ${data.slice(0, 200)}\nDo the command and the server have the same version?`,
  );
}
