import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Client } from '@a2a-js/sdk/client';
import { TaskNotFoundError } from '@a2a-js/sdk/errors';
import type { Task as A2aTask } from '@a2a-js/sdk';
import { createWebhookReceiver, type WebhookReceiver } from '../support/fakes/webhook-receiver.ts';
import { until } from '../support/until.ts';
import { ask, createA2aHarness, messageOf, type A2aHarness } from './a2a-harness.ts';
import { blockedTurn } from './open-conversation.ts';

let api: A2aHarness;
let receiver: WebhookReceiver;
let ann: Client;
beforeAll(async () => {
  receiver = await createWebhookReceiver();
  api = await createA2aHarness({ ALFRED_OUTBOUND_ALLOW: '127.0.0.1' });
  ann = await api.clientOf('ann');
}, 60_000);
afterAll(async () => {
  await api?.close();
  await receiver?.down();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWithStatus(204);
});

const configOf = (more: { taskId?: string; id?: string; token?: string; bearer?: string; url?: string } = {}) => ({
  tenant: '',
  id: more.id ?? 'mine',
  taskId: more.taskId ?? '',
  url: more.url ?? `${receiver.url}/a2a`,
  token: more.token ?? '',
  authentication: more.bearer === undefined ? undefined : { scheme: 'Bearer', credentials: more.bearer },
});
/** Sends a message whose task is reported at its end. */
const sendWith = (config: ReturnType<typeof configOf>, returnImmediately = false) =>
  ann.sendMessage({
    ...messageOf('Work'),
    configuration: { returnImmediately, acceptedOutputModes: [], taskPushNotificationConfig: config },
  }) as Promise<A2aTask>;
const received = (count = 1) =>
  until('the receiver is called', () => receiver.received, { accept: (all) => all.length >= count });

test('the card says that notifications are sent, and the end of a task goes to the address of its message', async () => {
  expect((await ann.getAgentCard()).capabilities?.pushNotifications).toBe(true);
  api.script([{ text: ['Done.'] }]);
  const { id } = await sendWith(configOf({ token: 'my-token' }));
  const [report] = await received();
  expect(report).toMatchObject({
    method: 'POST',
    path: '/a2a',
    headers: { 'content-type': 'application/a2a+json', 'x-a2a-notification-token': 'my-token' },
  });
  expect(report?.headers).not.toHaveProperty('webhook-signature');
  expect(JSON.parse(report?.body ?? '')).toMatchObject({
    task: { id, status: { state: 'TASK_STATE_COMPLETED' }, artifacts: [{ parts: [{ text: 'Done.' }] }] },
  });
});

test('a config of a running task is read, listed without what is secret, replaced and reported once', async () => {
  const { turn, release } = blockedTurn('Late.');
  api.script([turn]);
  const { id: taskId } = await sendWith(configOf({ id: 'first', token: 'old' }), true);
  await ann.createTaskPushNotificationConfig(configOf({ taskId, id: 'first', bearer: 'credential' }));
  const shown = configOf({ taskId, id: 'first' });
  expect(await ann.getTaskPushNotificationConfig({ tenant: '', taskId, id: 'first' })).toEqual(shown);
  const list = { tenant: '', taskId, pageSize: 0, pageToken: '' };
  expect((await ann.listTaskPushNotificationConfig(list)).configs).toEqual([shown]);
  await expect(ann.createTaskPushNotificationConfig(configOf({ taskId, id: 'second' }))).rejects.toThrow(
    'can have one',
  );
  release();
  const [report] = await received();
  expect(report?.headers).toMatchObject({ authorization: 'Bearer credential' });
  expect(report?.headers).not.toHaveProperty('x-a2a-notification-token');
  expect(JSON.parse(report?.body ?? '')).toMatchObject({ task: { id: taskId } });
});

test('a message and a config without a name of it may be repeated: the config is replaced', async () => {
  const { turn, release } = blockedTurn('Late.');
  api.script([turn]);
  const message = messageOf('Work');
  const sendAgain = (token: string) =>
    ann.sendMessage({
      ...message,
      configuration: {
        returnImmediately: true,
        acceptedOutputModes: [],
        taskPushNotificationConfig: configOf({ id: '', token }),
      },
    }) as Promise<A2aTask>;
  const { id: taskId } = await sendAgain('first');
  expect((await sendAgain('second')).id).toBe(taskId);
  const created = await ann.createTaskPushNotificationConfig(configOf({ taskId, id: '', token: 'third' }));
  expect(created.id).toBe(taskId);
  const list = { tenant: '', taskId, pageSize: 0, pageToken: '' };
  expect((await ann.listTaskPushNotificationConfig(list)).configs).toEqual([configOf({ taskId, id: taskId })]);
  release();
  const [report] = await received();
  expect(report?.headers).toMatchObject({ 'x-a2a-notification-token': 'third' });
});

test('a config that was deleted gets no report, and none is there for other people', async () => {
  const { turn, release } = blockedTurn('Late.');
  api.script([turn]);
  const { id: taskId } = await sendWith(configOf(), true);
  const ben = await api.clientOf('ben');
  const named = { tenant: '', taskId, id: 'mine' };
  await expect(ben.getTaskPushNotificationConfig(named)).rejects.toThrow(TaskNotFoundError);
  await expect(ben.createTaskPushNotificationConfig(configOf({ taskId }))).rejects.toThrow(TaskNotFoundError);
  await expect(ann.getTaskPushNotificationConfig({ ...named, id: 'other' })).rejects.toThrow(TaskNotFoundError);
  await ann.deleteTaskPushNotificationConfig(named);
  await expect(ann.getTaskPushNotificationConfig(named)).rejects.toThrow(TaskNotFoundError);
  const list = { tenant: '', taskId, pageSize: 0, pageToken: '' };
  expect((await ann.listTaskPushNotificationConfig(list)).configs).toEqual([]);
  release();
  await until('it has ended', async () => (await ann.getTask({ tenant: '', id: taskId })).artifacts.length > 0);
  const { rows } = await api.postgres.pool.query('select from callbacks where task_id = $1', [taskId]);
  expect(rows).toEqual([]);
});

test('a task that has ended is reported at once, and again until the receiver takes it', async () => {
  api.script([{ text: ['Done.'] }]);
  const { id: taskId } = await ask(ann, 'Work');
  receiver.answerWithStatus(503);
  await ann.createTaskPushNotificationConfig(configOf({ taskId, token: 't' }));
  await received(1);
  receiver.answerWithStatus(204);
  const reports = await received(2);
  expect(new Set(reports.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

test('an address in a private network is refused by the guard of what leaves, and bad configs by their form', async () => {
  api.script([{ text: ['Done.'] }]);
  const { id: taskId } = await sendWith(configOf({ url: 'http://10.0.0.1/a2a' }));
  const state = await until('the delivery has failed', async () => {
    const { rows } = await api.postgres.pool.query('select state, last_error from callbacks where task_id = $1', [
      taskId,
    ]);
    return rows[0]?.state === 'failed' ? rows[0] : undefined;
  });
  expect(state.last_error).toContain('10.0.0.1');
  for (const wrong of [{ url: 'ftp://example.com' }, { token: 'a\r\nb' }])
    await expect(ann.createTaskPushNotificationConfig(configOf({ taskId, ...wrong }))).rejects.toThrow();
});
