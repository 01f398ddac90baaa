import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../adapters/postgres/conversations/conversation-turns.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { person } from '../support/principals.ts';
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

test('a task that Temporal has lost starts again with its priority, also that of a message', async () => {
  const { http, postgres, tasks, workflows, scope } = harness;
  const { id } = await tasks.create(scope, { agent: 'knowledge', input: { text: 'Who?' }, priority: 5 }, {});
  const { body: conversation } = await http.post('/v1/conversations', { priority: 2 });
  const { db } = postgres;
  const ref = { ...scope, conversationId: conversation.id, agent: 'knowledge' };
  await createConversationRows(db).storeMessage(person(scope.subject, { tenant: scope.tenant }), ref.conversationId, {
    id: 'm',
    text: 'A',
  });
  const turns = createConversationTurns(db);
  await turns.decide(ref, ['m']);
  const turn = await turns.begin(ref, () => ({ budget: {} }));
  const ids = [id, turn?.task.taskId ?? ''];
  await postgres.pool.query(`update tasks set updated_at = now() - interval '1 hour' where id = any($1)`, [ids]);
  for (const taskId of ids) {
    const found = await tasks.reconcile(taskId, { status: 'not_found' });
    if (found?.restart) await workflows.restartTask(found.restart);
  }
  expect(await Promise.all(ids.map(priorityOf))).toMatchObject([{ priorityKey: 5 }, { priorityKey: 2 }]);
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
