import { cancellationSignal } from '@temporalio/activity';
import { AlfredError } from '../contract/errors.ts';
import type { CallbackRef } from '../contract/references.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { CallbackAttempt, CallbackOutcome, Callbacks, TaskRow, Tasks, Webhooks } from '../contract/ports/index.ts';

export type CallbackDeps = { callbacks: Callbacks; tasks: Tasks; webhooks: Webhooks; metrics: Metrics };

/** `nothing_due`: it is delivered already, the task runs again after a reset, or the task has no callback. */
type Delivery = 'delivered' | 'failed' | 'nothing_due';

export const createCallbackActivities = ({ callbacks, tasks, webhooks, metrics }: CallbackDeps) => ({
  /**
   * Makes one attempt to report a task's end to the callback URL of its request.
   *
   * @throws AlfredError `callback_undelivered` when another attempt may succeed
   */
  async deliverCallback({ taskId, ...scope }: CallbackRef): Promise<Delivery> {
    const attempt = await callbacks.beginAttempt(scope, taskId);
    const task = attempt && (await tasks.get(scope, taskId));
    if (!task || !isEnded(task.status)) return 'nothing_due';
    const { retryAfterMs, ...outcome } = await send(webhooks, task, attempt, cancellationSignal());
    await callbacks.settleAttempt(scope, taskId, attempt, outcome);
    metrics.callbacks.inc({ outcome: outcome.state === 'delivering' ? 'retried' : outcome.state });
    if (outcome.state === 'delivering')
      throw new AlfredError('callback_undelivered', outcome.error ?? undefined, { retryAfterMs });
    return outcome.state;
  },

  /** Records the failed delivery when no attempt will follow. */
  async giveUpCallback({ taskId, ...scope }: CallbackRef): Promise<void> {
    await callbacks.giveUp(scope, taskId);
    metrics.callbacks.inc({ outcome: 'failed' });
  },
});

type SendOutcome = CallbackOutcome & { retryAfterMs?: number | undefined };

async function send(
  webhooks: Webhooks,
  task: TaskRow,
  { url, secret, delivery }: CallbackAttempt,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const body = { type: `task.${task.status}`, timestamp: task.endedAt, data: task };
  try {
    const response = await webhooks.send({ url, secret, id: `${task.id}.${delivery}`, body }, { signal });
    const { status, receiver, retryAfterMs } = response;
    if (status >= 200 && status < 300) return { state: 'delivered', status, error: null };
    // 410 Gone: the receiver does not want this callback any more (Standard Webhooks).
    const state = status === 410 ? 'failed' : 'delivering';
    return { state, status, error: `${receiver} answered ${status}.`, retryAfterMs };
  } catch (error) {
    if (!(error instanceof AlfredError)) throw error;
    const state = error.code === 'destination_forbidden' ? 'failed' : 'delivering';
    return { state, status: null, error: error.message };
  }
}
