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
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { outlineOf, blockedTurn, openConversation } from './open-conversation.ts';

// What comes in the middle of something else.

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'pay' }] } }) });
  api.tool('pay', async () => ({ output: 'paid', summary: 'paid' }), { effect: 'write' });
});
afterAll(() => api?.close());

const ended = (id: string) =>
  until('its end', async () => {
    const { body } = await api.http.get(`/v1/tasks/${id}`);
    return body.endedAt !== null && body;
  });
const taskOf = async (more: object = {}) =>
  (await api.http.post('/v1/tasks', { input: { text: 'Do it.' }, ...more })).body.id as string;
const forever = (signal: AbortSignal) =>
  new Promise<never>((_, fail) => signal.addEventListener('abort', () => fail(signal.reason as Error)));

test('a conversation whose workflow was lost is deleted: its running task is cancelled first', async () => {
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
  await until('nothing is left', async () => {
    const { rows } = await api.postgres.pool.query('select from conversations where id = $1', [conversation.id]);
    return rows.length === 0;
  });
});

test('what steers a task reaches it although the conversation began anew in between', async () => {
  const tool = blockedTurn('');
  api.tool('look', async (_, { signal }) => {
    await tool.turn.until(signal);
    return { output: 'seen', summary: 'seen' };
  });
  const requests = api.script((_, call) =>
    call === 1 ? { calls: [{ tool: 'look', arguments: {} }] } : { text: ['Yes.'] },
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
  await until('the task was told', async () =>
    (await handle.fetchHistory()).events?.some((event) => event.workflowExecutionSignaledEventAttributes),
  );
  tool.release();
  await conversation.quiet();
  expect(outlineOf(requests[1] as (typeof requests)[number])).toContain('two');
});

test('a task that is reset while it waits for an approval can be decided', async () => {
  api.script((_, call) => (call === 1 ? { calls: [{ tool: 'pay', arguments: {} }] } : { text: ['Yes.'] }));
  const id = await taskOf();
  const [approval] = await until('it waits', async () => (await api.row(id)).waiting?.approvals);
  const handle = api.client.workflow.getHandle(taskWorkflowId(id));
  const lastTask = async () =>
    (await handle.fetchHistory()).events?.findLast((event) => event.workflowTaskCompletedEventAttributes);
  await until('it is at rest', async () => (await handle.fetchHistory()).events?.at(-1)?.timerStartedEventAttributes);
  await api.client.workflowService.resetWorkflowExecution({
    namespace: api.config.TEMPORAL_NAMESPACE,
    workflowExecution: { workflowId: taskWorkflowId(id), runId: (await handle.describe()).runId },
    reason: 'test',
    workflowTaskFinishEventId: (await lastTask())?.eventId ?? null,
    requestId: id,
  });
  expect((await api.http.post(`/v1/approvals/${approval}`, { decision: 'approve' })).body).toMatchObject({
    status: 'approved',
  });
  expect(await ended(id)).toMatchObject({ status: 'completed' });
});

test('a cancel waits for what is on its way before it takes it back', async () => {
  const world: string[] = [];
  const left = Promise.withResolvers<void>();
  const arrives = Promise.withResolvers<void>();
  api.tool('look', (_, { signal }) => forever(signal));
  api.tool(
    'book',
    async (_, { beforeSend }) => {
      await beforeSend();
      left.resolve();
      await arrives.promise;
      world.push('booked');
      return { output: {}, summary: 'booked' };
    },
    {
      effect: 'write',
      reconcile: async () => ({ state: world.includes('booked') ? 'unknown' : 'not_done' }),
      undo: async (_, __, { beforeSend }) => {
        await beforeSend();
        world.push('undone');
        return { summary: 'undone' };
      },
    },
  );
  const calls = ['look', 'book'].map((tool) => ({ tool, arguments: {} }));
  api.script([{ calls }, { text: ['Done.'] }]);
  const id = await taskOf();
  await left.promise;
  await api.http.post(`/v1/tasks/${id}/cancel`, { undo: true });
  arrives.resolve();
  expect(await ended(id)).toMatchObject({ status: 'cancelled', effects: [{ state: 'undone' }] });
  expect(world).toEqual(['booked', 'undone']);
});

test('a cancel that meets a grant: what happened replays, and an answer that is there stays', async () => {
  api.script([{ text: ['Done.'] }]);
  const id = await taskOf({ budget: { maxModelCalls: 5 } });
  const handle = api.client.workflow.getHandle(taskWorkflowId(id));
  const held = await api.postgres.pool.connect();
  await held.query('begin');
  await held.query('select from tasks where id = $1 for update', [id]);
  const granted = api.http.post(`/v1/tasks/${id}/budget`, { maxModelCalls: 6 });
  await sleep(100);
  await handle.cancel();
  await sleep(100);
  await held.query('rollback');
  held.release();
  await granted;
  await ended(id);
  await handle.result().catch(() => {});
  const bundle = { code: await readFile(api.config.ALFRED_WORKFLOW_BUNDLE ?? '', 'utf8') };
  const replay = await replayHistory(bundle, await handle.fetchHistory());
  expect(replay.isSame ? 'same' : replay.divergence).toBe('same');
});

test('an answer with bytes that Postgres does not take is a refusal, sent once', async () => {
  let hits = 0;
  const server = createServer((request, response) => {
    hits++;
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
  expect(hits).toBe(1);
  server.close();
  server.closeAllConnections();
});
