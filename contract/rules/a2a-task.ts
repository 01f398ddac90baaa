import {
  Role,
  StreamResponse,
  TaskState,
  type Artifact,
  type Message,
  type Part,
  type Task as A2aTask,
} from '@a2a-js/sdk';
import type { Task as AnyTask, TaskStatus } from '../task.ts';

/** A task without what the API alone shows. */
type Task = Omit<AnyTask, 'links'>;

/** The artifact that holds the answer, also while it is being written. */
export const answerId = 'answer';

const states: Record<TaskStatus, TaskState> = {
  queued: TaskState.TASK_STATE_SUBMITTED,
  running: TaskState.TASK_STATE_WORKING,
  waiting: TaskState.TASK_STATE_WORKING,
  completed: TaskState.TASK_STATE_COMPLETED,
  incomplete: TaskState.TASK_STATE_FAILED,
  failed: TaskState.TASK_STATE_FAILED,
  cancelled: TaskState.TASK_STATE_CANCELED,
};

/** The statuses of tasks that a caller means by a state. A question has the status of an answer. */
export const statusesOf = (state: TaskState): TaskStatus[] =>
  (Object.keys(states) as TaskStatus[]).filter((status) => states[status] === state);

/** A task as A2A shows it. */
export function taskView(task: Task): A2aTask {
  const { id, conversationId, usage } = task;
  return {
    id,
    contextId: conversationId ?? id,
    status: statusView(task),
    artifacts: answerArtifacts(task),
    history: [],
    metadata: {
      agent: task.agent,
      usage: {
        inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
        outputTokens: usage.outputTokens,
        costUsd: usage.costUsd,
      },
    },
  };
}

/** What a push notification of A2A holds: the task, in JSON. */
export const pushBody = (task: Task): unknown =>
  StreamResponse.toJSON({ payload: { $case: 'task', value: taskView(task) } });

/** The state of a task, with what there is to say about it. */
export function statusView(task: Task) {
  const { result, status } = task;
  const asks = status === 'completed' && result?.asks !== undefined;
  const words = asks ? result.text : (task.error?.message ?? task.waiting?.message ?? incompleteOf(status));
  return {
    state: asks ? TaskState.TASK_STATE_INPUT_REQUIRED : states[status],
    message: words === undefined ? undefined : messageOf(task, words),
    timestamp: task.endedAt ?? task.startedAt ?? task.createdAt,
  };
}

const incompleteOf = (status: TaskStatus) =>
  status === 'incomplete' ? 'It reached its budget before there was an answer.' : undefined;

/** The answer with its citations; a question stands in the state. */
export function answerArtifacts({ result }: Task): Artifact[] {
  if (!result || result.asks) return [];
  const data: Part[] =
    result.data === undefined
      ? []
      : [
          {
            content: { $case: 'data', value: result.data },
            metadata: undefined,
            filename: '',
            mediaType: 'application/json',
          },
        ];
  return [
    {
      artifactId: answerId,
      name: answerId,
      description: '',
      parts: [textPart(result.text), ...data],
      metadata: result.citations.length > 0 ? { citations: result.citations } : undefined,
      extensions: [],
    },
  ];
}

export const textPart = (value: string): Part => ({
  content: { $case: 'text', value },
  metadata: undefined,
  filename: '',
  mediaType: 'text/plain',
});

const messageOf = ({ id, conversationId }: Task, words: string): Message => ({
  messageId: `${id}-status`,
  contextId: conversationId ?? id,
  taskId: id,
  role: Role.ROLE_AGENT,
  parts: [textPart(words)],
  metadata: undefined,
  extensions: [],
  referenceTaskIds: [],
});
