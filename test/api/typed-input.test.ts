import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { Agents } from '../../agents/index.ts';
import { loadAgents } from '../../agents/packs/load-agents.ts';
import { agentQueue, systemQueue } from '../../contract/ids.ts';
import { loadConfig } from '../../runtime/config.ts';
import { agentWithTool, writePack } from '../agents/packs/write-pack.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

/** Takes an order and nothing else, reads it without the model, and answers with data. */
const typedAgent = agentWithTool(
  'is here',
  `input: z.strictObject({ order: z.string() }),
   ask: ({ order }) => ({ text: 'Where is ' + order + '?', tool: { name: 'read_order', arguments: { id: order } } }),
   answer: z.strictObject({ found: z.boolean() }),`,
);

let api: ApiHarness;
let agents: Agents;
beforeAll(async () => {
  const pack = await writePack({ 'agents/orders/agent.ts': typedAgent });
  const config = loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_AGENT_PACKS: pack });
  ({ agents } = await loadAgents({ config, log: pino({ level: 'silent' }) }));
  api = await createApiHarness({}, { agents }, { agents, queues: [agentQueue('orders'), systemQueue] });
});
afterAll(() => api?.close());

const asked = { text: 'Where is A-1?', tool: { name: 'read_order', arguments: { id: 'A-1' } } };
const scriptAnswer = () => api.script([{ text: ['{"found": true}'] }]);

test('an agent’s input, the schema of its answer and its pack are listed', async () => {
  const { body } = await api.http.get('/v1/agents');
  expect(body.agents.find(({ name }: { name: string }) => name === 'orders')).toMatchObject({
    inputSchema: { type: 'object', required: ['order'], additionalProperties: false },
    answerSchema: { type: 'object', required: ['found'] },
    pack: 'test-pack@1.2.3',
  });
});

test('a task takes the fields, calls the tool that they name, and answers with data', async () => {
  const requests = scriptAnswer();
  const created = await api.http.post('/v1/tasks', { agent: 'orders', input: { order: 'A-1' } });
  const task = await api.taskReaches(created.body.id, 'completed');
  expect(task).toMatchObject({ input: asked, result: { data: { found: true } } });
  expect(requests[0]?.messages.at(-1)).toMatchObject({ role: 'tool', results: [{ output: 'A-1 is here' }] });
  const refused = await api.http.post('/v1/tasks', { agent: 'orders', input: { text: 'Where?' } });
  expect(refused).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
});

test('a message of a conversation takes the fields in place of a text', async () => {
  const { body: conversation } = await api.http.post('/v1/conversations', { agent: 'orders' });
  const path = `/v1/conversations/${conversation.id}/messages`;
  const requests = scriptAnswer();
  const receipt = await api.http.post(path, { id: 'one', input: { order: 'A-1' } });
  expect(receipt.status).toBe(202);
  expect(await api.taskReaches(receipt.body.taskId, 'completed')).toMatchObject({ input: asked });
  expect(requests[0]?.messages.at(-1)).toMatchObject({ role: 'tool', results: [{ output: 'A-1 is here' }] });
  // A repeat is the same message.
  expect((await api.http.post(path, { id: 'one', input: { order: 'A-1' } })).body.taskId).toBe(receipt.body.taskId);
  for (const body of [{ text: 'Where?' }, { input: { order: 1 } }, { text: 'Where?', input: { order: 'A-1' } }, {}])
    expect((await api.http.post(path, body)).status).toBe(422);
});

test('a schedule keeps the fields as they were given, and each run reads them', async () => {
  scriptAnswer();
  const action = { task: { agent: 'orders', input: { order: 'A-1' } } };
  const { body: schedule } = await api.http.post('/v1/schedules', {
    name: 'orders',
    timing: { everyS: 31_536_000 },
    action,
    paused: true,
  });
  expect(schedule.action.task.input).toEqual({ order: 'A-1' });
  expect((await api.http.request(`/v1/schedules/${schedule.id}/run`, { method: 'POST' })).status).toBe(202);
  const run = await until(
    'the run of the schedule',
    async () => (await api.http.get(`/v1/schedules/${schedule.id}`)).body.recentRuns[0],
  );
  expect(run.error).toBeNull();
  expect(await api.taskReaches(run.taskId, 'completed')).toMatchObject({ input: asked });
  await api.http.request(`/v1/schedules/${schedule.id}`, { method: 'DELETE' });
});
