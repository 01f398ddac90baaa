import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { person } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { ask, createScheduleHarness, hourly, scheduleBody, textOf, type ScheduleHarness } from './schedule-harness.ts';

const text = 'Any purple news?';

let api: ScheduleHarness;
beforeAll(async () => {
  api = await createScheduleHarness();
});
afterAll(() => api?.close());
afterEach(() => api.cleanUp());

const newConversation = async (request: object = {}) =>
  (await api.http.post('/v1/conversations', request)).body.id as string;
const say = (conversationId: string, words: string) =>
  api.http.post(`/v1/conversations/${conversationId}/messages`, { text: words });
const messagesOf = async (conversationId: string) =>
  (await api.http.get(`/v1/conversations/${conversationId}/messages`)).body.messages;
/** What there is for the audit log about the runs of a schedule. */
const noted = async (id: string) =>
  (
    await api.postgres.pool.query('select action, resource_id, outcome, code from audit_pending where client = $1', [
      `schedule ${id}`,
    ])
  ).rows;
const running = (id: string) =>
  until('its task runs', () => api.read(id), { accept: (schedule) => schedule.running === 1 });

test('a schedule keeps the channel of Slack for its answers', async () => {
  const notify = { slack: { channel: 'C0123ABCD' } };
  const { id, action } = await api.create({ action: { ...ask, notify } });
  expect(action).toMatchObject({ task: { agent: 'knowledge' }, notify });
  expect((await api.patch(id, { action: ask })).body.action.notify).toBeUndefined();
  const wrong = scheduleBody({ action: { ...ask, notify: { slack: { channel: '#general' } } } });
  expect(await api.http.post('/v1/schedules', wrong)).toMatchObject({
    status: 422,
    body: { issues: [{ path: 'action.notify.slack.channel' }] },
  });
});

test('a run sends its message once, with the run’s id, and ends with the answer', async () => {
  const { release } = api.blockedModel();
  const conversationId = await newConversation();
  const { id } = await api.create({ action: { message: { conversationId, text } } });
  await api.act(id, 'run');
  const run = await api.workflow(id, 'RUNNING');
  await running(id);
  release();
  await api.workflow(id, 'COMPLETED');
  // The run ends with its task, and the conversation's turn a little later.
  const messages = await until('the turn has ended', () => messagesOf(conversationId), {
    accept: ([message]) => message.state === 'done',
  });
  expect(messages).toMatchObject([
    { role: 'user', id: run.workflowId, text, state: 'done' },
    { role: 'assistant', text: 'Slowly.' },
  ]);
  expect((await api.read(id)).recentRuns).toMatchObject([
    { taskId: messages[0].taskId, conversationId, messageId: run.workflowId, error: null },
  ]);
  expect(await api.ended(messages[0].taskId)).toMatchObject({ scheduleId: id, conversationId, input: { text } });
  expect(textOf(await api.client.workflow.getHandle(run.workflowId).fetchHistory())).not.toContain('purple');
  expect(await noted(id)).toEqual([
    { action: 'task.start', resource_id: messages[0].taskId, outcome: 'ok', code: null },
  ]);
});

test('a rejected message fails its run with the reason', async () => {
  const { release } = api.blockedModel();
  const conversationId = await newConversation({ onBusy: 'reject' });
  await say(conversationId, 'Wait.');
  const { id } = await api.create({ action: { message: { conversationId, text } } });
  await api.act(id, 'run');
  await api.workflow(id, 'FAILED');
  expect((await api.read(id)).recentRuns[0]).toMatchObject({ taskId: null, error: { code: 'conversation_busy' } });
  expect(await noted(id)).toEqual([
    { action: 'schedule.run', resource_id: id, outcome: 'failed', code: 'conversation_busy' },
  ]);
  release();
});

test('dropping a queued message ends its run', async () => {
  api.blockedModel();
  const conversationId = await newConversation();
  await say(conversationId, 'Wait.');
  const { id } = await api.create({ action: { message: { conversationId, text } } });
  await api.act(id, 'run');
  await until('the message is queued', () => messagesOf(conversationId), {
    accept: (messages) => messages.length === 2 && messages[1].state === 'queued',
  });
  await api.http.post(`/v1/conversations/${conversationId}/stop`, {});
  await api.workflow(id, 'COMPLETED');
  expect((await api.read(id)).recentRuns[0].error).toBeNull();
});

test('cancelling a run cancels the task that answers its message', async () => {
  api.blockedModel();
  const conversationId = await newConversation();
  const { id } = await api.create({
    action: { message: { conversationId, text } },
    timing: { ...hourly, overlap: 'cancel_other' },
  });
  await api.act(id, 'run');
  const { recentRuns } = await running(id);
  const run = await api.workflow(id, 'RUNNING');
  await api.client.workflow.getHandle(run.workflowId).cancel();
  expect((await api.ended(recentRuns[0].taskId)).status).toBe('cancelled');
  await api.workflow(id, 'CANCELLED');
});

test('a message to a conversation that was deleted is refused, on creation and on a change', async () => {
  const conversationId = await newConversation();
  const action = { message: { conversationId, text } };
  const { id } = await api.create({ action });
  await api.http.request(`/v1/conversations/${conversationId}`, { method: 'DELETE' });
  const refusal = { status: 422, body: { issues: [{ path: 'action.message.conversationId' }] } };
  expect(await api.http.post('/v1/schedules', scheduleBody({ action }))).toMatchObject(refusal);
  expect(await api.patch(id, { action })).toMatchObject(refusal);
});

describe('an agent that is kept for a role', () => {
  /** What the newest token of tess says. */
  const newestToken = (roles: string[]) =>
    api.postgres.pool.query(
      `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
       values ('local', 'tess', 'person', $1, now(), now() + interval '1 hour')
       on conflict (tenant, subject) do update set roles = excluded.roles`,
      [roles],
    );

  test('fails the next run of an owner who lost the role, and runs again when the role is back', async () => {
    api.quickModel();
    const tess = { 'x-subject': 'tess' };
    const { id } = await api.create({ timing: { ...hourly }, paused: true }, tess);
    const runsOf = async () => (await api.http.get(`/v1/schedules/${id}`, tess)).body.recentRuns;
    const run = () => api.http.request(`/v1/schedules/${id}/run`, { method: 'POST', headers: tess });
    await newestToken([]);
    await run();
    const [failed] = await until('a run', runsOf, { accept: ([first]) => first?.error });
    expect(failed).toMatchObject({
      taskId: null,
      error: { code: 'unknown_agent', message: expect.stringContaining('roles that you have now') },
    });
    // Else the next run would be skipped.
    await api.workflow(id, 'FAILED');
    await newestToken(['accounting']);
    await run();
    await until('a run with a task', runsOf, { accept: ([newest]) => newest.taskId !== null && newest.error === null });
    await api.http.request(`/v1/schedules/${id}`, { method: 'DELETE', headers: tess });
  });

  test('fails a task whose owner lost the role between the request and the start', async () => {
    const asked = person('tess', { roles: ['accounting'] });
    const { id, head } = await api.tasks.create(asked, { agent: 'knowledge', input: { text: 'A' } }, {});
    await newestToken([]);
    await api.control.tasks.start({ tenant: 'local', subject: 'tess', taskId: id, agent: 'knowledge', head });
    const failed = await api.taskReaches(id, 'failed', { 'x-subject': 'tess' });
    expect(failed.error).toMatchObject({ code: 'unknown_agent' });
    expect(failed.usage.modelCalls).toBe(0);
  });
});
