import type {
  AgentCard,
  ListTasksRequest,
  Message,
  SendMessageRequest,
  StreamResponse,
  Task as A2aTask,
} from '@a2a-js/sdk';
import { RequestMalformedError, TaskNotCancelableError, UnsupportedOperationError } from '@a2a-js/sdk/errors';
import type { A2ARequestHandler } from '@a2a-js/sdk/server';
import type { Conversation, MessageReceipt } from '../../contract/conversation.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { Task, TaskList } from '../../contract/task.ts';
import { pathTo } from '../http/inner-requests.ts';
import type { ApiRequests } from './api-requests.ts';
import { followTask } from './follow-task.ts';
import { createPushConfigs } from './push-configs.ts';
import { statusesOf, taskView } from '../../contract/rules/a2a-task.ts';

/** The agent that gets messages which name none. */
export const defaultAgent = 'alfred';
/** How long a request that wants the answer is held open, in seconds; then it gets the task as it stands. */
const longestWaitS = 600;
const waitStepS = 30;

type Deps = {
  inner: ApiRequests;
  card: AgentCard;
  extendedCard: () => Promise<AgentCard>;
  /** Aborts when the caller has gone, or the process shuts down. */
  signal: AbortSignal;
  /** Takes one of the caller's event streams, for what is held open. @returns frees it @throws AlfredError */
  takeStream: () => Promise<() => void>;
};

/** A2A in terms of the API: a context is a conversation, and a message asks for a task in it. */
export function createRequestHandler({ inner, card, extendedCard, signal, takeStream }: Deps): A2ARequestHandler {
  const read = (id: string, waitS = 0) =>
    inner.json<Task>({
      method: 'GET',
      url: pathTo`/v1/tasks/${id}`,
      ...(waitS > 0 ? { headers: { prefer: `wait=${waitS}` } } : {}),
    });

  const push = createPushConfigs(inner);

  const send = async (request: SendMessageRequest): Promise<Task> => {
    const taskId = (await submit(inner, read, request)) ?? '';
    const config = request.configuration?.taskPushNotificationConfig;
    if (config) await push.createForMessage({ ...config, taskId });
    return read(taskId);
  };

  /** What waits for a person is not waited for. */
  const untilSettled = async (first: Task): Promise<Task> => {
    let task = first;
    for (let waited = 0; !isEnded(task.status) && waited < longestWaitS; waited += waitStepS) {
      if (signal.aborted || task.status === 'waiting') break;
      task = await read(task.id, waitStepS);
    }
    return task;
  };

  return {
    getAgentCard: async () => card,
    getAuthenticatedExtendedAgentCard: () => extendedCard(),

    async sendMessage(request) {
      if (request.configuration?.returnImmediately) return taskView(await send(request));
      const release = await takeStream();
      try {
        return taskView(await untilSettled(await send(request)));
      } finally {
        release();
      }
    },

    async *sendMessageStream(request) {
      yield* followTask({ inner, read, signal }, await send(request));
    },

    async *resubscribe({ id }): AsyncGenerator<StreamResponse, void, undefined> {
      const task = await read(id);
      if (isEnded(task.status)) throw new UnsupportedOperationError('The task has ended: read it with GetTask.');
      yield* followTask({ inner, read, signal }, task);
    },

    getTask: async ({ id }) => taskView(await read(id)),

    async cancelTask({ id }): Promise<A2aTask> {
      if (isEnded((await read(id)).status)) throw new TaskNotCancelableError('The task has ended already.');
      return taskView(await inner.json<Task>({ method: 'POST', url: pathTo`/v1/tasks/${id}/cancel`, body: {} }));
    },

    async listTasks(request) {
      const { tasks, nextCursor } = await inner.json<TaskList>({
        method: 'GET',
        url: `/v1/tasks?${queryOf(request).toString()}`,
      });
      const shown = tasks.map(taskView);
      return { tasks: shown, nextPageToken: nextCursor ?? '', pageSize: shown.length, totalSize: shown.length };
    },

    createTaskPushNotificationConfig: push.createTaskPushNotificationConfig,
    getTaskPushNotificationConfig: push.getTaskPushNotificationConfig,
    listTaskPushNotificationConfigs: push.listTaskPushNotificationConfigs,
    deleteTaskPushNotificationConfig: push.deleteTaskPushNotificationConfig,
  };
}

/** Sends a message into its conversation. A repeat with the same id is the same message. @returns the task */
async function submit(
  inner: ApiRequests,
  read: (id: string) => Promise<Task>,
  { message, metadata }: SendMessageRequest,
): Promise<string | null> {
  if (!message?.messageId) throw new RequestMalformedError('The message needs a messageId.');
  const text = textOf(message);
  const answered = message.taskId ? await read(message.taskId) : undefined;
  if (answered && !answered.result?.asks)
    throw new UnsupportedOperationError(
      `The task ${answered.id} waits for no message: leave taskId out, and keep its contextId.`,
    );
  const conversationId =
    answered?.conversationId ??
    (message.contextId || (await openConversation(inner, agentIn(message, metadata), message)));
  const { taskId } = await inner.json<MessageReceipt>({
    method: 'POST',
    url: pathTo`/v1/conversations/${conversationId}/messages`,
    body: { id: message.messageId, text },
  });
  return taskId;
}

async function openConversation(inner: ApiRequests, agent: string, { messageId }: Message): Promise<string> {
  const { id } = await inner.json<Conversation>({
    method: 'POST',
    url: '/v1/conversations',
    headers: { 'idempotency-key': `a2a-${messageId}`.slice(0, 128) },
    body: { agent },
  });
  return id;
}

/** `agent` in the metadata of the message or of the request. */
function agentIn(message: Message, metadata: SendMessageRequest['metadata']): string {
  const named: unknown = message.metadata?.['agent'] ?? metadata?.['agent'] ?? defaultAgent;
  if (typeof named !== 'string') throw new RequestMalformedError('`agent` of the metadata is the name of an agent.');
  return named;
}

function textOf({ parts }: Message): string {
  const texts = parts.map(({ content }) => {
    if (content?.$case === 'text') return content.value;
    if (content?.$case === 'data') return JSON.stringify(content.value);
    throw new RequestMalformedError('Only parts of text and data are read here.');
  });
  return texts.join('\n\n');
}

function queryOf({ contextId, status, pageSize, pageToken, statusTimestampAfter }: ListTasksRequest): URLSearchParams {
  const statuses = status ? statusesOf(status) : [];
  if (status && statuses.length !== 1)
    throw new RequestMalformedError('Tasks are listed by one status: submitted, completed or canceled.');
  const query = new URLSearchParams({ limit: String(Math.min(pageSize || 50, 100)) });
  const given = {
    conversationId: contextId,
    status: statuses[0],
    cursor: pageToken,
    createdAfter: statusTimestampAfter,
  };
  for (const [name, value] of Object.entries(given)) if (value) query.set(name, value);
  return query;
}
