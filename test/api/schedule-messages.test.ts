import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createScheduleHarness, hourly, textOf, until, type ScheduleHarness } from './schedule-harness.ts';

const conversationId = '01a2016f-73a4-7695-9a05-0f2fb996e093';
const message = { conversationId, text: 'Any purple news?' };

type Sent = { roles: readonly string[]; conversationId: string; id: string; text: string };
const sent: Sent[] = [];
let answer: (message: Sent) => Promise<{ taskId: string | null }>;

let api: ScheduleHarness;
beforeAll(async () => {
  api = await createScheduleHarness({
    async submit({ roles }, conversationId, { id, text }) {
      const message = { roles, conversationId, id, text };
      sent.push(message);
      return answer(message);
    },
  });
});
afterAll(() => api?.close());
afterEach(() => api.cleanUp());

test('a run sends its message once, under its own id, and is over with the answer', async () => {
  const { letGo } = api.slowModel();
  let taskId = '';
  answer = async () => {
    const { id } = await api.start();
    taskId = id;
    return { taskId };
  };
  const { id } = await api.create({ action: { message } });
  await api.act(id, 'run');
  const run = await api.workflow(id, 'RUNNING');
  await until(
    () => api.read(id),
    ({ running }) => running === 1,
    'its task',
  );
  letGo();
  await api.workflow(id, 'COMPLETED');
  expect(sent.filter(({ id: key }) => key === run.workflowId)).toEqual([
    { roles: ['accounting'], conversationId, id: run.workflowId, text: message.text },
  ]);
  expect((await api.read(id)).recentRuns).toMatchObject([
    { taskId, conversationId, messageId: run.workflowId, error: null },
  ]);
  expect(textOf(await api.client.workflow.getHandle(run.workflowId).fetchHistory())).not.toContain('purple');
});

test('a rejected message fails its run with the reason', async () => {
  answer = async () => ({ taskId: null });
  const { id } = await api.create({ action: { message } });
  await api.act(id, 'run');
  await api.workflow(id, 'FAILED');
  expect((await api.read(id)).recentRuns[0]).toMatchObject({ taskId: null, error: { code: 'conversation_busy' } });
});

test('a message that is dropped while it waits for its turn ends its run', async () => {
  answer = async ({ id: messageId }) => {
    const taskId = '01a2016f-73a4-7695-9a05-0f2fb996e094';
    const { pool } = api.postgres;
    await pool.query(
      `insert into conversations (id, tenant, subject, agent, on_busy, request_hash)
       values ($1, 'local', 'local', 'knowledge', 'enqueue', '')`,
      [conversationId],
    );
    await pool.query(
      `insert into conversation_messages (conversation_id, id, content_hash, request, request_hash, task_id, state)
       values ($1, $2, '', '{}', '', $3, 'dropped')`,
      [conversationId, messageId, taskId],
    );
    return { taskId };
  };
  const { id } = await api.create({ action: { message } });
  await api.act(id, 'run');
  await api.workflow(id, 'COMPLETED');
  expect((await api.read(id)).recentRuns[0].error).toBeNull();
});

test('cancel_other cancels the task that answers', async () => {
  api.slowModel();
  const tasks: string[] = [];
  answer = async () => {
    const { id } = await api.start();
    tasks.push(id);
    return { taskId: id };
  };
  const { id } = await api.create({ action: { message }, timing: { ...hourly, overlap: 'cancel_other' } });
  await api.act(id, 'run');
  await until(
    () => api.read(id),
    ({ running }) => running === 1,
    'its task',
  );
  const [first = ''] = tasks;
  const run = await api.workflow(id, 'RUNNING');
  await api.client.workflow.getHandle(run.workflowId).cancel();
  expect((await api.ended(first)).status).toBe('cancelled');
  await api.workflow(id, 'CANCELLED');
});
