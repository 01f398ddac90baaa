import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let harness: ApiHarness;
beforeAll(async () => {
  harness = await createApiHarness({ ALFRED_TENANTS: '{"local": {"fairnessWeight": 2.5}}' });
  harness.script(() => ({ text: ['Done.'] }));
});
afterAll(() => harness?.close());

const priorityOf = async (taskId: string) =>
  (await harness.client.workflow.getHandle(taskWorkflowId(taskId)).describe()).priority;

test('a task’s workflow has its tenant as fairness key, the tenant’s weight and its own priority', async () => {
  const { body: urgent } = await harness.http.post('/v1/tasks', { input: { text: 'What?' }, priority: 1 });
  expect(await priorityOf(urgent.id)).toEqual({ fairnessKey: 'local', fairnessWeight: 2.5, priorityKey: 1 });
  const { body: usual } = await harness.http.post('/v1/tasks', { input: { text: 'What?' } });
  expect(await priorityOf(usual.id)).toMatchObject({ fairnessKey: 'local', fairnessWeight: 2.5 });
});

test('a repeat that starts a task whose workflow never started keeps its priority', async () => {
  const request = { agent: 'knowledge', input: { text: 'Who?' }, priority: 5 };
  const { id } = await harness.tasks.create(harness.scope, request, { idempotencyKey: 'again' });
  const send = (body: object) => harness.http.post('/v1/tasks', body, { 'idempotency-key': 'again' });
  expect(await send({ ...request, priority: 1 })).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  });
  expect(await send(request)).toMatchObject({ status: 202, body: { id } });
  expect(await priorityOf(id)).toMatchObject({ priorityKey: 5 });
});

test.each([0, 6, 1.5, '1'])('priority %j is refused', async (priority) => {
  const { status, body } = await harness.http.post('/v1/tasks', { input: { text: 'What?' }, priority });
  expect({ status, path: body.issues?.[0]?.path }).toEqual({ status: 422, path: 'priority' });
});

test('a tenant whose name is too long for a fairness key gets its hash as the key', async () => {
  const scope = { tenant: 'ü'.repeat(100), subject: 'somebody' };
  const request = { agent: 'knowledge', input: { text: 'What?' } };
  const { id, head } = await harness.tasks.create(scope, request, {});
  await harness.control.tasks.start({ ...scope, taskId: id, agent: 'knowledge', head });
  expect((await priorityOf(id))?.fairnessKey).toMatch(/^[0-9a-f]{64}$/);
});
