import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TaskReport } from '../../contract/callback-report.ts';
import { AlfredError } from '../../contract/errors.ts';
import { callbackWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import { resetWorkflow } from '../support/tasks/reset-workflow.ts';
import { historyText } from '../support/tasks/history-text.ts';
import {
  createWebhookReceiver,
  verifySignature,
  type ReceivedRequest,
  type WebhookReceiver,
} from '../support/fakes/webhook-receiver.ts';
import { until, untilAborted } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';

const bareSecret = Buffer.alloc(32, 7).toString('base64');
const secret = `whsec_${bareSecret}`;

let api: ApiHarness;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
  api = await createApiHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1', ALFRED_SWEEP_INTERVAL_S: '1' });
});
afterAll(async () => {
  await api?.close();
  await receiver?.down();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWithStatus(204);
});

const url = () => `${receiver.url}/told?token=query-secret`;
const ask = async (more: object = {}) => {
  const { status, body } = await api.http.post('/v1/tasks', {
    input: { text: 'What?' },
    callback: { url: url(), secret },
    ...more,
  });
  expect(status).toBe(202);
  return body.id as string;
};
const callbackOf = async (id: string) => (await api.http.get(`/v1/tasks/${id}/callback`)).body;
const inState = (id: string, state: string) =>
  until(`${id} is told: ${state}`, () => callbackOf(id), { accept: (callback: AnyJson) => callback.state === state });
const received = (count: number) =>
  until(`${count} posts are received`, () => receiver.received, { accept: (all) => all.length >= count });
const idOf = ({ headers }: ReceivedRequest) => headers['webhook-id'];

describe('the callback of a task is delivered', () => {
  test('when it completed: the task as the API returns it, signed with the callback’s own secret', async () => {
    api.script([{ text: ['Done.'] }]);
    const id = await ask({ metadata: { order: '7' } });
    expect(await inState(id, 'delivered')).toEqual({
      url: url(),
      state: 'delivered',
      deliveries: 1,
      attempts: 1,
      lastAttemptAt: expect.any(String),
      lastStatus: 204,
      lastError: null,
      deliveredAt: expect.any(String),
    });
    const [delivery, ...others] = receiver.received as [ReceivedRequest];
    expect(delivery).toMatchObject({ method: 'POST', path: '/told?token=query-secret' });
    expect([idOf(delivery), others]).toEqual([`${id}.1`, []]);
    const { links: _, ...task } = (await api.http.get(`/v1/tasks/${id}`)).body;
    const report = TaskReport.parse(verifySignature(secret, delivery));
    expect(report).toEqual({ type: 'task.completed', timestamp: task.endedAt, data: task });
    expect(task).toMatchObject({ status: 'completed', result: { text: 'Done.' }, metadata: { order: '7' } });
  });

  test('when it failed', async () => {
    api.script([]);
    const id = await ask();
    await inState(id, 'delivered');
    expect(verifySignature(secret, receiver.received[0] as ReceivedRequest)).toMatchObject({
      type: 'task.failed',
      data: { id, status: 'failed', error: { code: 'model_rejected' } },
    });
  });

  test('when it was cancelled, with the usage of the call that was interrupted', async () => {
    const [requests, id] = [api.script([{ until: untilAborted }]), await ask()];
    expect(await callbackOf(id)).toMatchObject({ state: 'waiting', deliveries: 0, attempts: 0, lastAttemptAt: null });
    await until('the model is called', () => requests.length === 1);
    await api.http.post(`/v1/tasks/${id}/cancel`, {});
    await inState(id, 'delivered');
    expect(verifySignature(secret, receiver.received[0] as ReceivedRequest)).toMatchObject({
      type: 'task.cancelled',
      data: { id, status: 'cancelled', usage: { modelCalls: 1, inputTokens: 10, outputTokens: 5 } },
    });
  });

  test('when its workflow was terminated and the sweep noticed it', async () => {
    api.script([{ until: untilAborted }]);
    const id = await ask();
    await until('the task runs', () => api.row(id), { accept: ({ status }) => status === 'running' });
    await api.client.workflow.getHandle(taskWorkflowId(id)).terminate();
    await inState(id, 'delivered');
    expect(verifySignature(secret, receiver.received[0] as ReceivedRequest)).toMatchObject({
      type: 'task.failed',
      data: { error: { code: 'terminated' } },
    });
  });

  test('when the delivery could not be started at the end of the task', async () => {
    const start = jest.spyOn(api.workflows, 'deliverCallback');
    start.mockRejectedValueOnce(new AlfredError('temporal_unavailable'));
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    expect(await inState(id, 'delivered')).toMatchObject({ deliveries: 1, attempts: 1 });
    expect(start.mock.calls.length).toBeGreaterThan(1);
    start.mockRestore();
    expect((await api.row(id)).status).toBe('completed');
  });

  test('again when the task was reset and ended again', async () => {
    api.script([{ text: ['First.'] }]);
    const id = await ask();
    await inState(id, 'delivered');
    api.script([{ text: ['Second.'] }]);
    const history = await api.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory();
    const completed = history.events?.find(({ workflowTaskCompletedEventAttributes: it }) => it);
    await resetWorkflow(api, taskWorkflowId(id), { eventId: completed?.eventId });
    const posts = await received(2);
    expect(posts.map(idOf)).toEqual([`${id}.1`, `${id}.2`]);
    await inState(id, 'delivered');
  });
});

describe('a receiver that', () => {
  test('fails is called again, with the same webhook-id, until it succeeds', async () => {
    receiver.answerWithStatus(503);
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    const failing = await until('the first attempt has failed', () => callbackOf(id), {
      accept: (callback: AnyJson) => callback.lastStatus === 503,
    });
    expect(failing).toMatchObject({
      state: 'delivering',
      deliveries: 1,
      lastError: `127.0.0.1:${receiver.port} answered 503.`,
      deliveredAt: null,
    });
    receiver.answerWithStatus(200);
    const done = await inState(id, 'delivered');
    expect(done).toMatchObject({ deliveries: 1, lastStatus: 200, lastError: null });
    expect(done.attempts).toBe(receiver.received.length);
    expect(new Set(receiver.received.map(idOf))).toEqual(new Set([`${id}.1`]));
    for (const attempt of receiver.received) verifySignature(secret, attempt);
  });

  test('is down is called again when it is up', async () => {
    await receiver.down();
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    const failing = await until('the first attempt has failed', () => callbackOf(id), {
      accept: (callback: AnyJson) => callback.attempts > 0 && callback.lastError !== null,
    });
    expect(failing).toMatchObject({ state: 'delivering', lastStatus: null });
    expect(failing.lastError).toContain('ECONNREFUSED');
    await receiver.up();
    await inState(id, 'delivered');
    expect(receiver.received).toHaveLength(1);
  });

  test('answers 410 is not called again', async () => {
    receiver.answerWithStatus(410);
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    expect(await inState(id, 'failed')).toMatchObject({ attempts: 1, lastStatus: 410, deliveredAt: null });
    await api.client.workflow.getHandle(callbackWorkflowId(id)).result();
    expect(receiver.received).toHaveLength(1);
  });

  test('has a forbidden address is never called', async () => {
    api.script([{ text: ['Done.'] }]);
    const id = await ask({ callback: { url: `http://169.254.169.254:${receiver.port}/latest`, secret } });
    const failed = await inState(id, 'failed');
    expect(failed).toMatchObject({ attempts: 1, lastStatus: null });
    expect(failed.lastError).toContain('has no public address');
    expect((await api.row(id)).status).toBe('completed');
  });

  test('failed is called again when the delivery workflow disappeared', async () => {
    receiver.answerWithStatus(503, { 'retry-after': '3600' });
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    // The record of the attempt sets `updated_at`.
    await until('the attempt is recorded', async () => (await callbackOf(id)).lastStatus === 503);
    await api.client.workflow.getHandle(callbackWorkflowId(id)).terminate();
    receiver.answerWithStatus(204);
    await api.postgres.pool.query(
      `update callbacks set updated_at = now() - interval '3 hours' where task_id = $1 and state = 'delivering'`,
      [id],
    );
    expect(await inState(id, 'delivered')).toMatchObject({ deliveries: 1, attempts: 2 });
    expect(receiver.received.map(idOf)).toEqual([`${id}.1`, `${id}.1`]);
  });

  test('fails is given up when the delivery is cancelled in Temporal', async () => {
    receiver.answerWithStatus(500);
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    await received(1);
    await api.client.workflow.getHandle(callbackWorkflowId(id)).cancel();
    expect(await inState(id, 'failed')).toMatchObject({ lastStatus: 500 });
  });
});

describe('POST /v1/tasks/{id}/callback', () => {
  const again = (id: string) => api.http.post(`/v1/tasks/${id}/callback`, {});

  test('delivers again, with a new webhook-id', async () => {
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    await inState(id, 'delivered');
    expect(await again(id)).toMatchObject({ status: 202, body: { url: url() } });
    const posts = await received(2);
    expect(posts.map(idOf)).toEqual([`${id}.1`, `${id}.2`]);
    expect(await inState(id, 'delivered')).toMatchObject({ deliveries: 2, attempts: 2 });
  });

  test('does not wait for the backoff of an earlier delivery', async () => {
    receiver.answerWithStatus(503, { 'retry-after': '3600' });
    api.script([{ text: ['Done.'] }]);
    const id = await ask();
    await received(1);
    receiver.answerWithStatus(204);
    expect((await again(id)).status).toBe(202);
    expect(await inState(id, 'delivered')).toMatchObject({ deliveries: 2, attempts: 2 });
    expect(receiver.received.map(idOf)).toEqual([`${id}.1`, `${id}.2`]);
  });

  test('is refused while the task runs, for a task without callback, and without a task', async () => {
    api.script([{ until: untilAborted }]);
    const id = await ask();
    expect(await again(id)).toMatchObject({ status: 409, body: { code: 'task_running' } });
    await api.http.post(`/v1/tasks/${id}/cancel`, {});
    api.script([{ text: ['Done.'] }]);
    const without = (await api.http.post('/v1/tasks', { input: { text: 'What?' } })).body.id as string;
    const missing = { status: 404, body: { code: 'callback_missing' } };
    expect(await api.http.get(`/v1/tasks/${without}/callback`)).toMatchObject(missing);
    expect(await again(without)).toMatchObject(missing);
    const unknownId = '019ab7a0-0000-7000-8000-000000000000';
    const unknown = { status: 404, body: { code: 'not_found' } };
    expect(await api.http.get(`/v1/tasks/${unknownId}/callback`)).toMatchObject(unknown);
    expect(await again(unknownId)).toMatchObject(unknown);
  });
});

test('an invalid callback is refused with the request', async () => {
  for (const callback of [{ url: url() }, { url: 'ftp://example.com', secret }, { url: url(), secret: 'hunter2' }]) {
    const { status, body } = await api.http.post('/v1/tasks', { input: { text: 'What?' }, callback });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'invalid_request' });
    expect(JSON.stringify(body)).not.toContain('hunter2');
  }
});

test('a repeat with the same key keeps the first callback; another secret is another request', async () => {
  api.script([{ text: ['Done.'] }]);
  const key = { 'idempotency-key': 'callback-1' };
  const body = { input: { text: 'What?' }, callback: { url: url(), secret } };
  const first = await api.http.post('/v1/tasks', body, key);
  expect((await api.http.post('/v1/tasks', body, key)).body.id).toBe(first.body.id);
  const other = { ...body, callback: { url: url(), secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` } };
  expect(await api.http.post('/v1/tasks', other, key)).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  });
  await inState(first.body.id as string, 'delivered');
  expect(receiver.received.filter(({ body: sent }) => sent.includes(first.body.id as string))).toHaveLength(1);
});

test('no history, event, task or metric contains a callback’s secret or query', async () => {
  receiver.answerWithStatus(500);
  api.script([{ text: ['Done.'] }]);
  const id = await ask();
  await received(2);
  receiver.answerWithStatus(204);
  await inState(id, 'delivered');
  const seen = [
    (await api.http.get(`/v1/tasks/${id}`)).body,
    (await api.http.get('/v1/tasks')).body,
    await api.events.read(api.scope, id, 0, 500),
    await historyText(api.client, taskWorkflowId(id)),
    await historyText(api.client, callbackWorkflowId(id)),
    receiver.received.map(({ body }) => body),
    await api.metrics.registry.metrics(),
  ].map((part) => (typeof part === 'string' ? part : JSON.stringify(part)));
  const whole = seen.join('\n');
  const contains = (text: string) => whole.includes(text);
  expect(contains(`{"taskId":"${id}","tenant":"local","subject":"local"}`)).toBe(true);
  expect(contains('callbacks_total{outcome="delivered"}') && contains('callbacks_total{outcome="retried"}')).toBe(true);
  expect({ secret: contains(bareSecret), query: contains('query-secret') }).toEqual({ secret: false, query: false });
  expect(JSON.stringify(await callbackOf(id))).not.toContain(bareSecret);
});
