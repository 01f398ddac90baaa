import { cancellationSignal } from '@temporalio/activity';
import { AlfredError } from '../contract/errors.ts';
import type { CallbackRef } from '../contract/references.ts';
import { pushBody } from '../contract/rules/a2a-task.ts';
import { isEnded } from '../contract/task-status.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { untilStored } from './until-stored.ts';
import { createReceiverSlots } from './receiver-slots.ts';
import type {
  CallbackAttempt,
  CallbackOutcome,
  Callbacks,
  Documents,
  Tasks,
  Webhooks,
} from '../contract/ports/index.ts';

export type CallbackDeps = {
  callbacks: Callbacks;
  tasks: Tasks;
  documents: Pick<Documents, 'getIngestion'>;
  webhooks: Webhooks;
  metrics: Metrics;
};

/** `nothing_due`: it is delivered already, the task runs again after a reset, or there is no callback. */
type Delivery = 'delivered' | 'failed' | 'nothing_due';

export const createCallbackActivities = (deps: CallbackDeps, slots = createReceiverSlots()) => ({
  /**
   * Makes one attempt to report the end of a task or upload to the callback URL of its request.
   *
   * @throws AlfredError `callback_undelivered` when another attempt may succeed
   */
  async deliverCallback(callback: CallbackRef): Promise<Delivery> {
    const state = await deps.callbacks.get(callback);
    if (!state) return 'nothing_due';
    const receiver = URL.parse(state.url)?.host ?? state.url;
    const slot = slots.take(receiver);
    if ('waitMs' in slot) {
      // Noted in the row, so that the sweep does not take it for forgotten.
      if (!(await deps.callbacks.putOff(callback))) return 'nothing_due';
      deps.metrics.callbacks.inc({ outcome: 'put_off' });
      const message = `Other deliveries to ${receiver} are under way.`;
      throw new AlfredError('callback_undelivered', message, { retryAfterMs: slot.waitMs });
    }
    try {
      return await attemptDelivery(deps, callback);
    } finally {
      slot.release();
    }
  },

  /** Records the failed delivery when no attempt will follow. */
  async giveUpCallback(callback: CallbackRef): Promise<void> {
    await deps.callbacks.giveUp(callback);
    deps.metrics.callbacks.inc({ outcome: 'failed' });
  },
});

async function attemptDelivery(deps: CallbackDeps, callback: CallbackRef): Promise<Delivery> {
  const { callbacks, metrics } = deps;
  const attempt = await callbacks.beginAttempt(callback);
  const report = attempt && (await reportOf(deps, callback, attempt));
  if (!report) return 'nothing_due';
  const { retryAfterMs, ...outcome } = await send(deps.webhooks, report, attempt, cancellationSignal());
  // A delivery that is not recorded is made again.
  const state = await untilStored(() => callbacks.settleAttempt(callback, attempt, outcome), cancellationSignal());
  metrics.callbacks.inc({ outcome: state === 'delivering' ? 'retried' : state });
  if (state === 'delivering')
    throw new AlfredError('callback_undelivered', outcome.error ?? undefined, { retryAfterMs });
  return state;
}

/** What a callback sends: what has ended, as the API returns it without links. */
type Report = { id: string; body: unknown };

/** @returns undefined unless the task or upload has ended */
async function reportOf(
  { tasks, documents }: Pick<CallbackDeps, 'tasks' | 'documents'>,
  callback: CallbackRef,
  { push }: CallbackAttempt,
): Promise<Report | undefined> {
  if ('taskId' in callback) {
    const task = await tasks.get(callback, callback.taskId);
    if (!task || !isEnded(task.status)) return undefined;
    if (push) return { id: task.id, body: pushBody(task) };
    return { id: task.id, body: { type: `task.${task.status}`, timestamp: task.endedAt, data: task } };
  }
  const ingestion = await documents.getIngestion(callback, callback.ingestionId);
  if (!ingestion || ingestion.status === 'running') return undefined;
  const { id, status, endedAt } = ingestion;
  return { id, body: { type: `ingestion.${status}`, timestamp: endedAt, data: ingestion } };
}

const pushHeaders = ({ token, authentication }: NonNullable<CallbackAttempt['push']>): Record<string, string> => ({
  'content-type': 'application/a2a+json',
  ...(token === undefined ? {} : { 'x-a2a-notification-token': token }),
  ...(authentication && { authorization: `${authentication.scheme} ${authentication.credentials}` }),
});

type SendOutcome = CallbackOutcome & { retryAfterMs?: number | undefined };

async function send(
  webhooks: Webhooks,
  { id, body }: Report,
  { url, secret = '', push, delivery }: CallbackAttempt,
  signal: AbortSignal,
): Promise<SendOutcome> {
  try {
    const proof = push ? { headers: pushHeaders(push) } : { secret };
    const response = await webhooks.send({ url, ...proof, id: `${id}.${delivery}`, body }, { signal });
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
