import { Readable } from 'node:stream';
import { parseSseStream, TaskState, type StreamResponse } from '@a2a-js/sdk';
import type { TaskEvent } from '../../contract/events.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { Task } from '../../contract/task.ts';
import { pathTo } from '../http/inner-requests.ts';
import type { ApiRequests } from './api-requests.ts';
import { answerArtifacts, answerId, statusView, taskView, textPart } from '../../contract/rules/a2a-task.ts';

type Stream = AsyncGenerator<StreamResponse, void, undefined>;

type Deps = {
  inner: ApiRequests;
  read: (id: string) => Promise<Task>;
  /** Aborts when the caller has gone, or the process shuts down. */
  signal: AbortSignal;
};

/** Yields a task, what happens to it, and its end. */
export async function* followTask({ inner, read, signal }: Deps, task: Task): Stream {
  yield { payload: { $case: 'task', value: taskView(task) } };
  if (isEnded(task.status)) return;
  const ids = { taskId: task.id, contextId: task.conversationId ?? task.id };
  const events = await inner.stream(`${pathTo`/v1/tasks/${task.id}/events`}?after=${task.lastSeq}`);
  // A generator that waits for an event cannot be ended from outside.
  signal.addEventListener('abort', events.close, { once: true });
  if (signal.aborted) events.close();
  try {
    const body = Readable.toWeb(Readable.from(events.pieces)) as ReadableStream<Uint8Array<ArrayBuffer>>;
    let isFresh = true;
    for await (const { data } of parseSseStream(new Response(body))) {
      const event = JSON.parse(data) as TaskEvent;
      // A step begins, or is tried again: what was written before it counts no longer.
      if (event.type === 'model.started') isFresh = true;
      if (event.type === 'text.delta') {
        yield piece(ids, event.data.text, isFresh);
        isFresh = false;
      }
      if (event.type === 'task.waiting' || event.type === 'task.resumed' || event.type === 'task.started')
        yield state(ids, event);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', events.close);
    events.close();
  }
  if (signal.aborted) return;
  yield* endOf(ids, await read(task.id));
}

type Ids = { taskId: string; contextId: string };

const piece = (ids: Ids, text: string, isFresh: boolean): StreamResponse => ({
  payload: {
    $case: 'artifactUpdate',
    value: {
      ...ids,
      artifact: {
        artifactId: answerId,
        name: answerId,
        description: '',
        parts: [textPart(text)],
        metadata: undefined,
        extensions: [],
      },
      append: !isFresh,
      lastChunk: false,
      metadata: undefined,
    },
  },
});

function state(
  ids: Ids,
  event: Extract<TaskEvent, { type: 'task.waiting' | 'task.resumed' | 'task.started' }>,
): StreamResponse {
  const words =
    event.type === 'task.waiting' ? event.data.message : event.type === 'task.resumed' ? event.data.reason : '';
  const message = {
    messageId: `${ids.taskId}-${event.seq}`,
    ...ids,
    role: 2,
    parts: [textPart(words)],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  };
  const status = {
    state: TaskState.TASK_STATE_WORKING,
    message: words ? message : undefined,
    timestamp: event.at,
  };
  return { payload: { $case: 'statusUpdate', value: { ...ids, status, metadata: undefined } } };
}

/** The whole answer in place of its pieces, then the state. The stream of a process that shuts down ends without it. */
function* endOf(ids: Ids, task: Task): Generator<StreamResponse> {
  if (!isEnded(task.status)) return;
  for (const artifact of answerArtifacts(task))
    yield {
      payload: {
        $case: 'artifactUpdate',
        value: { ...ids, artifact, append: false, lastChunk: true, metadata: undefined },
      },
    };
  const { metadata } = taskView(task);
  yield { payload: { $case: 'statusUpdate', value: { ...ids, status: statusView(task), metadata } } };
}
