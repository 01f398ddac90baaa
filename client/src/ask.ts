import { AlfredError } from './alfred-error.ts';
import { request } from './request.ts';
import type { Task, TaskRequest, TaskResult } from './schemas.ts';
import type { Server } from './server.ts';
import { waitForTask } from './wait.ts';

/** The text of a question to the default agent, or a whole request. */
export type Question = string | TaskRequest;

export type AskOptions = {
  /** Ends the wait. The task goes on; the same question with the same `idempotencyKey` finds it again. */
  signal?: AbortSignal | undefined;
  /** The same key and question make one task. Default: a new key. */
  idempotencyKey?: string | undefined;
  /** Gets the task as soon as it is stored: its id, to follow or cancel it. */
  onTask?: ((task: Task) => void) | undefined;
};

export type AnsweredTask = Task & { status: 'completed'; result: TaskResult };

export async function ask(
  server: Server,
  question: Question,
  { signal, idempotencyKey, onTask }: AskOptions = {},
): Promise<AnsweredTask> {
  const body = typeof question === 'string' ? { input: { text: question } } : question;
  const created = await request(server, 'POST /v1/tasks', { body, idempotencyKey, signal });
  onTask?.(created);
  const task = await waitForTask(server, created.id, { signal });
  if (isAnswered(task)) return task;
  throw withoutAnswer(task);
}

const isAnswered = (task: Task): task is AnsweredTask =>
  task.status === 'completed' && task.result !== null && task.result.incomplete === undefined;

function withoutAnswer(task: Task): AlfredError {
  if (task.error) return new AlfredError(task.error.code, task.error.message, { task });
  if (task.status === 'cancelled') return new AlfredError('task_cancelled', 'The task was cancelled.', { task });
  const message = 'The task ended at its budget without an answer. `task.result` has what there was.';
  return new AlfredError('task_incomplete', message, { task });
}
