import { ask, type AskOptions, type Question } from './ask.ts';
import { fillPath } from './fill-path.ts';
import { follow, type FollowOptions } from './follow.ts';
import { list } from './list.ts';
import { request, requestBytes } from './request.ts';
import type { Answer, CallOptions, ItemOf, ListRoute, RequestArguments, RequestOptions, Route } from './routes.ts';
import type { ConversationEvent, IngestionEvent, TaskEvent } from './schemas.ts';
import { createServer, type AlfredOptions } from './server.ts';
import { upload, type FileToUpload, type UploadOptions } from './upload.ts';
import { waitForIngestion, waitForTask, type WaitOptions } from './wait.ts';

const lastTaskEvents: readonly TaskEvent['type'][] = [
  'task.completed',
  'task.incomplete',
  'task.failed',
  'task.cancelled',
];
const lastIngestionEvents: readonly IngestionEvent['type'][] = [
  'ingestion.completed',
  'ingestion.failed',
  'ingestion.cancelled',
];

/**
 * A client of one server. It holds no connection and no state: make as many as you like.
 *
 * @throws TypeError when `url` is not the address of a server
 */
export function createAlfred(options: AlfredOptions) {
  const server = createServer(options);
  return {
    /** Calls any operation of the API, like `request('GET /v1/tasks/{id}', { path: { id } })`. */
    request: <R extends Route>(route: R, ...args: RequestArguments<R>): Promise<Answer<R>> =>
      request(server, route, ...args),

    /** Yields what a list route lists, page by page. */
    list: <R extends ListRoute>(route: R, given?: RequestOptions<R>): AsyncGenerator<ItemOf<R>, void, undefined> =>
      list(server, route, given),

    /**
     * Asks an agent, waits for the end of the task and returns it with its result.
     *
     * @throws AlfredError with `task` when the task ended without an answer
     */
    ask: (question: Question, given?: AskOptions) => ask(server, question, given),

    /** Yields the events of a task, until it has ended. */
    followTask: (id: string, given: FollowOptions = {}) =>
      follow<TaskEvent>(
        server,
        { path: fillPath('/v1/tasks/{id}/events', { id }), isLast: ({ type }) => lastTaskEvents.includes(type) },
        given,
      ),

    /** Yields the events of a conversation and of its tasks, until it is deleted. */
    followConversation: (id: string, given: FollowOptions = {}) =>
      follow<ConversationEvent>(
        server,
        {
          path: fillPath('/v1/conversations/{id}/events', { id }),
          isLast: ({ type }) => type === 'conversation.deleted',
        },
        given,
      ),

    /** Yields the events of an upload, until all of it has been read. */
    followIngestion: (id: string, given: FollowOptions = {}) =>
      follow<IngestionEvent>(
        server,
        {
          path: fillPath('/v1/ingestions/{id}/events', { id }),
          isLast: ({ type }) => lastIngestionEvents.includes(type),
        },
        given,
      ),

    /** Waits for the end of a task, however it ends. */
    waitForTask: (id: string, given?: WaitOptions) => waitForTask(server, id, given),

    /** Reads a file that a task has made. `GET /v1/tasks/{id}/artifacts` lists them. */
    readArtifact: (taskId: string, artifactId: string, given: CallOptions = {}): Promise<Uint8Array> =>
      requestBytes(server, fillPath('/v1/tasks/{id}/artifacts/{artifactId}', { id: taskId, artifactId }), given),

    /** Sends files. They are read afterwards: see `waitForIngestion`. */
    upload: (files: readonly FileToUpload[], given?: UploadOptions) => upload(server, files, given),

    /** Waits until an upload has been read. */
    waitForIngestion: (id: string, given?: WaitOptions) => waitForIngestion(server, id, given),
  };
}
export type Alfred = ReturnType<typeof createAlfred>;
