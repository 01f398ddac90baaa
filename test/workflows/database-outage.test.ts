import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { taskStartOptions } from '../../contract/task-start.ts';
import { openSaboteur, type Saboteur } from '../support/environment/saboteur.ts';
import { createTaskHarness, scope, type TaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';
import type { agentTaskWorkflow } from '../../workflows/agent-task/workflow.ts';

let harness: TaskHarness;
let saboteur: Saboteur;
/** Statements that were refused because the database takes no writes. */
let refused = 0;
beforeAll(async () => {
  harness = await createTaskHarness();
  saboteur = await openSaboteur(harness.config.DATABASE_URL);
  // Such a connection is closed when it is released.
  harness.postgres.pool.on('release', (isSpoilt) => {
    if (isSpoilt) refused++;
  });
});
afterAll(async () => {
  await saboteur?.close();
  await harness?.close();
});
afterEach(async () => {
  await saboteur.makeWritable();
  refused = 0;
});

const becomeReadOnly = async () => {
  refused = 0;
  await saboteur.makeReadOnly();
};
const untilRefused = (count: number) => until(`${count} writes are refused`, () => refused >= count);

test('an answer that ends while the database takes no writes is stored and paid once, and its text is whole', async () => {
  const requests = harness.script([{ text: ['One '], until: becomeReadOnly, rest: ['two ', 'three.'] }]);
  const { id } = await harness.start();
  await untilRefused(4);
  await saboteur.makeWritable();
  const events = await harness.followToEnd(id);
  expect(requests).toHaveLength(1);
  const types = events.map(({ type }) => type);
  expect(types.slice(types.lastIndexOf('text.delta'))).toEqual(['text.delta', 'model.completed', 'task.completed']);
  expect(events.flatMap((event) => (event.type === 'text.delta' ? [event.data.text] : [])).join('')).toBe(
    'One two three.',
  );
  expect(await harness.row(id)).toMatchObject({
    status: 'completed',
    result: { text: 'One two three.' },
    usage: { modelCalls: 1 },
  });
});

test('a row write that is refused for longer than its quick attempts does not end the task', async () => {
  harness.script([{ text: ['Late.'] }]);
  const { id, agent, head } = await harness.tasks.create(scope, { agent: 'knowledge', input: { text: 'What?' } }, {});
  await becomeReadOnly();
  const handle = await harness.client.workflow.start<typeof agentTaskWorkflow>(
    'agentTaskWorkflow',
    taskStartOptions({ taskId: id, agent, head, ...scope }, {}),
  );
  // Waits of more than three seconds are timers of the history: the quick attempts are over.
  await until('a long wait for the next attempt', async () =>
    (await handle.fetchHistory()).events?.some(({ timerStartedEventAttributes }) => timerStartedEventAttributes),
  );
  await saboteur.makeWritable();
  await harness.followToEnd(id);
  expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Late.' } });
});

test('a call that has acted keeps its result while it cannot be stored', async () => {
  let sent = 0;
  harness.tool(
    'order',
    async (_input, { beforeSend }) => {
      await beforeSend();
      sent++;
      await becomeReadOnly();
      return { output: { order: 7 }, summary: 'ordered' };
    },
    { effect: 'write' },
  );
  const requests = harness.script([{ calls: [{ tool: 'order', arguments: {} }] }, { text: ['Ordered.'] }]);
  const { id } = await harness.start();
  await untilRefused(2);
  await saboteur.makeWritable();
  await until('the task ends', async () => (await harness.row(id)).endedAt);
  expect(sent).toBe(1);
  expect(requests[1]?.messages.at(-1)).toMatchObject({ role: 'tool', results: [{ output: { order: 7 } }] });
  expect((await harness.row(id)).effects).toMatchObject([{ tool: 'order', state: 'done' }]);
});

test('a task whose tool finds the index away waits, says why, and goes on when it is back', async () => {
  let isAway = true;
  let calls = 0;
  harness.tool('find', async () => {
    calls++;
    if (isAway) throw new AlfredError('index_unavailable', 'The search index cannot be written: no space is left.');
    return { output: 'found', summary: 'found' };
  });
  harness.script([{ calls: [{ tool: 'find', arguments: {} }] }, { text: ['Found.'] }]);
  const { id } = await harness.start();
  const waiting = await until('the task waits', async () => (await harness.row(id)).waiting);
  expect(waiting).toMatchObject({
    reason: 'service',
    service: 'index',
    message:
      'The search index cannot be written: no space is left. The task goes on by itself when that is over; nothing is spent meanwhile.',
  });
  expect(calls).toBe(3);
  isAway = false;
  const events = await harness.followToEnd(id);
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['task.waiting', 'task.resumed']));
  expect(await harness.row(id)).toMatchObject({ status: 'completed', waiting: null, result: { text: 'Found.' } });
  expect(calls).toBe(4);
});

test('a tool that only reads and hangs fails after a few bounded attempts', async () => {
  const aborted: boolean[] = [];
  harness.tool(
    'hang',
    (_input, { signal }) =>
      new Promise<never>(() => signal.addEventListener('abort', () => aborted.push(true), { once: true })),
    { timeoutMs: 50 },
  );
  harness.script([{ calls: [{ tool: 'hang', arguments: {} }] }]);
  const { id } = await harness.start();
  await harness.followToEnd(id);
  expect(await harness.row(id)).toMatchObject({
    status: 'failed',
    error: { code: 'tool_failed', message: 'The tool hang did not answer within 0.05 s.' },
  });
  expect(aborted).toHaveLength(5);
});

test('a worker whose index folder cannot be written takes no activities; tasks wait and go on when it can', async () => {
  const index = join(harness.config.ALFRED_DATA_DIR, 'index');
  const block = async () => {
    await rm(index, { recursive: true, force: true });
    await writeFile(index, 'in the way of the folder');
  };
  const search = { tool: 'search_documents', arguments: { query: 'notice period' } };
  harness.useBuiltInTool('search_documents');
  await harness.restartWorkers();

  await block();
  const script = () => harness.script([{ calls: [search] }, { text: ['Nothing found.'] }]);
  script();
  const { id } = await harness.start();
  expect(await until('the task waits', async () => (await harness.row(id)).waiting)).toMatchObject({
    reason: 'service',
    service: 'index',
    because: expect.stringContaining('check that ALFRED_DATA_DIR can be written and has space'),
  });
  await rm(index);
  await harness.followToEnd(id);
  expect(await harness.row(id)).toMatchObject({ status: 'completed', result: { text: 'Nothing found.' } });

  await harness.restartWorkers(async () => {
    await block();
    // A check counts for some seconds, and the workers before have made one.
    await until('a check of the folder fails', () =>
      harness.checkIndexFolder?.().then(
        () => false,
        () => true,
      ),
    );
  });
  const requests = script();
  const later = await harness.start();
  await until('its first activity waits for a worker', async () =>
    (await later.handle.fetchHistory()).events?.some(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled,
    ),
  );
  expect(requests).toHaveLength(0);
  await rm(index);
  await harness.followToEnd(later.id);
  expect((await harness.row(later.id)).status).toBe('completed');
  delete harness.tools['search_documents'];
});
