import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createOutbound } from '../../adapters/outbound/outbound.ts';
import { createWebhooks } from '../../adapters/outbound/webhooks.ts';
import { sendWebhookTool } from '../../agents/tools/acting/send-webhook.ts';
import { replayHistory } from '../../cli/replay/replay-history.ts';
import { conversationWorkflowId, taskWorkflowId } from '../../contract/ids.ts';
import { resetWorkflow } from '../support/tasks/reset-workflow.ts';
import { until, untilAborted } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { outlineOf, blockedTurn, openConversation } from './open-conversation.ts';

// Requests and failures in the middle of another operation.

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'pay' }] } }) });
  api.tool('pay', async () => ({ output: 'paid', summary: 'paid' }), { effect: 'write' });
});
afterAll(() => api?.close());

const ended = (id: string) =>
  until(`task ${id} has ended`, async () => {
    const { body } = await api.http.get(`/v1/tasks/${id}`);
    return body.endedAt !== null && body;
  });
const taskOf = async (more: object = {}) =>
  (await api.http.post('/v1/tasks', { input: { text: 'Do it.' }, ...more })).body.id as string;

test('deleting a conversation whose workflow was lost cancels its running task first', async () => {
  const first = blockedTurn('One.');
  api.script(() => first.turn);
  const conversation = await openConversation(api);
  await conversation.say('one');
  const taskId = await conversation.running();
  await api.client.workflow.getHandle(conversationWorkflowId(conversation.id)).terminate();
  await api.http.request(conversation.path, { method: 'DELETE' });
  const handle = api.client.workflow.getHandle(taskWorkflowId(taskId));
  expect(await until('the task ends', async () => (await handle.describe()).status.name !== 'RUNNING' && 'over')).toBe(
    'over',
  );
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  await until('the conversation is erased', async () => {
    const { rows } = await api.postgres.pool.query('select from conversations where id = $1', [conversation.id]);
    return rows.length === 0;
  });
});

test('a steering message reaches its task although the conversation’s workflow was restarted', async () => {
  const tool = blockedTurn('');
  api.tool('wait', async (_, { signal }) => {
    await tool.turn.until(signal);
    return { output: 'waited', summary: 'waited' };
  });
  const requests = api.script((_, call) =>
    call === 1 ? { calls: [{ tool: 'wait', arguments: {} }] } : { text: ['Yes.'] },
  );
  const conversation = await openConversation(api);
  await conversation.say('one');
  const taskId = await conversation.running();
  await until('its tool runs', async () =>
    (await api.events.read(api.scope, taskId, 0, 100)).some(({ type }) => type === 'tool.started'),
  );
  await api.client.workflow.getHandle(conversationWorkflowId(conversation.id)).terminate();
  expect((await conversation.say('two', { onBusy: 'steer' })).body).toMatchObject({ outcome: 'steered', taskId });
  const handle = api.client.workflow.getHandle(taskWorkflowId(taskId));
  await until('the task received the signal', async () =>
    (await handle.fetchHistory()).events?.some((event) => event.workflowExecutionSignaledEventAttributes),
  );
  tool.release();
  await conversation.quiet();
  expect(outlineOf(requests[1] as (typeof requests)[number])).toContain('two');
});

test('an approval can be decided after its task was reset', async () => {
  api.script((_, call) => (call === 1 ? { calls: [{ tool: 'pay', arguments: {} }] } : { text: ['Yes.'] }));
  const id = await taskOf();
  const [approval] = await until('the task waits', async () => (await api.row(id)).waiting?.approvals);
  const handle = api.client.workflow.getHandle(taskWorkflowId(id));
  const lastTask = async () =>
    (await handle.fetchHistory()).events?.findLast((event) => event.workflowTaskCompletedEventAttributes);
  await until(
    'the task has set its timer',
    async () => (await handle.fetchHistory()).events?.at(-1)?.timerStartedEventAttributes,
  );
  await resetWorkflow(api, taskWorkflowId(id), {
    eventId: (await lastTask())?.eventId,
    runId: (await handle.describe()).runId,
  });
  expect((await api.http.post(`/v1/approvals/${approval}`, { decision: 'approve' })).body).toMatchObject({
    status: 'approved',
  });
  expect(await ended(id)).toMatchObject({ status: 'completed' });
});

test('a cancel with undo waits for an effect that is being sent, and undoes it then', async () => {
  const bookings: string[] = [];
  const sent = Promise.withResolvers<void>();
  const arrival = Promise.withResolvers<void>();
  api.tool('wait', (_, { signal }) => untilAborted(signal));
  api.tool(
    'book',
    async (_, { beforeSend }) => {
      await beforeSend();
      sent.resolve();
      await arrival.promise;
      bookings.push('booked');
      return { output: {}, summary: 'booked' };
    },
    {
      effect: 'write',
      reconcile: async () => ({ state: bookings.includes('booked') ? 'unknown' : 'not_done' }),
      undo: async (_, __, { beforeSend }) => {
        await beforeSend();
        bookings.push('undone');
        return { summary: 'undone' };
      },
    },
  );
  const calls = ['wait', 'book'].map((tool) => ({ tool, arguments: {} }));
  api.script([{ calls }, { text: ['Done.'] }]);
  const id = await taskOf();
  await sent.promise;
  await api.http.post(`/v1/tasks/${id}/cancel`, { undo: true });
  arrival.resolve();
  expect(await ended(id)).toMatchObject({ status: 'cancelled', effects: [{ state: 'undone' }] });
  expect(bookings).toEqual(['booked', 'undone']);
});

test('a cancel during a budget grant leaves a history that replays', async () => {
  api.script([{ text: ['Done.'] }]);
  const id = await taskOf({ budget: { maxModelCalls: 5 } });
  const handle = api.client.workflow.getHandle(taskWorkflowId(id));
  const lock = await api.postgres.pool.connect();
  await lock.query('begin');
  await lock.query('select from tasks where id = $1 for update', [id]);
  const granted = api.http.post(`/v1/tasks/${id}/budget`, { maxModelCalls: 6 });
  await sleep(100);
  await handle.cancel();
  await sleep(100);
  await lock.query('rollback');
  lock.release();
  await granted;
  await ended(id);
  await handle.result().catch(() => {});
  const bundle = { code: await readFile(api.config.ALFRED_WORKFLOW_BUNDLE ?? '', 'utf8') };
  const replay = await replayHistory(bundle, await handle.fetchHistory());
  expect(replay.isSame ? 'same' : replay.divergence).toBe('same');
});

test('a webhook that is refused with an answer that Postgres cannot store is sent once', async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    response.writeHead(400).end(Buffer.from([0x62, 0, 0x61]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const tool = sendWebhookTool(createWebhooks(createOutbound({ allow: ['127.0.0.1'] })), { secret, hosts: [] });
  api.tool('send_webhook', (...call) => tool.run(...call), { effect: 'write', repeatable: true });
  api.script([{ calls: [{ tool: 'send_webhook', arguments: { url, type: 'a', data: {} } }] }, { text: ['Done.'] }]);
  expect((await ended(await taskOf())).status).toBe('completed');
  expect(requests).toBe(1);
  server.close();
  server.closeAllConnections();
});
