import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import type { TaskEvent } from '../../contract/events.ts';
import { resetWorkflow } from '../support/tasks/reset-workflow.ts';
import { createTaskHarness, scope, type TaskHarness } from '../support/tasks/task-harness.ts';

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness({ ALFRED_SWEEP_INTERVAL_S: '1' });
});
afterAll(() => harness?.close());

const waitsForever = {
  text: ['…'],
  until: (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
};

/** Follows a task until an event matches. @returns all events up to that page */
async function eventsUntil(id: string, matches: (event: TaskEvent) => boolean, after = 0): Promise<TaskEvent[]> {
  const seen: TaskEvent[] = [];
  while (true) {
    for await (const page of harness.events.follow(scope, id, seen.at(-1)?.seq ?? after, AbortSignal.timeout(45_000))) {
      seen.push(...page);
      if (page.some(matches)) return seen;
    }
    // The stream of an ended task ends; events after a reset come in the next stream.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the sweep reconciles rows', () => {
  test('a terminated workflow is noticed, and its followers get an event', async () => {
    harness.script([waitsForever]);
    const { id, handle } = await harness.start();
    await eventsUntil(id, ({ type }) => type === 'text.delta');
    await handle.terminate('by hand');
    const events = await eventsUntil(id, ({ type }) => type === 'task.failed');
    expect(events.at(-1)).toMatchObject({ data: { error: { code: 'terminated' } } });
    expect((await harness.row(id)).status).toBe('failed');
  });

  test('a reset workflow is noticed, its row runs again, and what was paid is not paid twice', async () => {
    harness.tool('look', async () => ({ output: 'seen', summary: 'looked' }));
    const requests = harness.script([{ calls: [{ tool: 'look', arguments: {} }] }, { text: ['Answer.'] }]);
    const { id, handle } = await harness.start();
    await eventsUntil(id, ({ type }) => type === 'task.completed');
    const { runId } = await handle.describe();
    await resetWorkflow(harness, taskWorkflowId(id), { eventId: 4, runId });
    await harness.client.workflow.getHandle(taskWorkflowId(id)).result();
    const events = await eventsUntil(id, ({ type, seq }) => type === 'task.completed' && seq > 10);
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('task.'))).toEqual([
      'task.queued',
      'task.started',
      'task.completed',
      'task.resumed',
      'task.completed',
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(requests).toHaveLength(2);
    expect((await harness.row(id)).usage.modelCalls).toBe(2);
  });

  test('a task that was terminated during a model call and reset to its last step continues from there', async () => {
    harness.tool('look', async () => ({ output: 'seen', summary: 'looked' }));
    const requests = harness.script((_, call) =>
      call === 1 ? { calls: [{ tool: 'look', arguments: {} }] } : call === 2 ? waitsForever : { text: ['Answer.'] },
    );
    const { id, handle } = await harness.start();
    const streamed = await eventsUntil(id, ({ type }) => type === 'text.delta');
    await handle.terminate('by hand');
    await eventsUntil(id, ({ type }) => type === 'task.failed', streamed.length);
    const { runId } = await handle.describe();
    const { events: recorded } = await handle.fetchHistory();
    const last = recorded?.findLast((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
    await resetWorkflow(harness, taskWorkflowId(id), { eventId: last, runId });
    await harness.client.workflow.getHandle(taskWorkflowId(id)).result();
    expect(await harness.row(id)).toMatchObject({ status: 'completed', error: null, result: { text: 'Answer.' } });
    expect(requests).toHaveLength(3);
    const types = (await harness.events.read(scope, id, 0, 100)).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('task.')).slice(-3)).toEqual([
      'task.failed',
      'task.resumed',
      'task.completed',
    ]);
  });

  test('a sweep is one workflow for many rounds, so that Temporal’s list shows the tasks', async () => {
    const sweeps = harness.client.workflow.list({ query: `WorkflowType = 'sweepTasksWorkflow'` });
    const ids = [];
    for await (const { workflowId } of sweeps) ids.push(workflowId);
    expect(ids).toHaveLength(1);
    const { raw } = await harness.client.workflow.getHandle(ids[0] ?? '').describe();
    expect(Number(raw.workflowExecutionInfo?.historyLength)).toBeGreaterThan(50);
  });

  test('a queued row without a workflow is started by the sweep: Temporal may have lost it', async () => {
    const task = await harness.tasks.create(scope, { agent: 'knowledge', input: { text: 'queued' } }, {});
    harness.script([{ text: ['Started after all.'] }]);
    await harness.postgres.pool.query(
      `update tasks set created_at = now() - interval '5 minutes', updated_at = now() - interval '5 minutes' where id = $1`,
      [task.id],
    );
    await eventsUntil(task.id, ({ type }) => type === 'task.completed');
    expect(await harness.row(task.id)).toMatchObject({ status: 'completed', error: null });
  });

  test('a task that could not be started waits for the repeat of its request, and has one end', async () => {
    const request = { agent: 'knowledge', input: { text: 'never started' } };
    const { start, task } = await startInVain(request, 'once');
    expect(await harness.row(task.id)).toMatchObject({ status: 'queued', error: null });

    expect(await harness.tasks.create(scope, request, { idempotencyKey: 'once' })).toMatchObject({
      id: task.id,
      status: 'queued',
      error: null,
    });
    harness.script([{ text: ['Started after all.'] }]);
    await harness.control.tasks.start(start);
    const events = await eventsUntil(task.id, ({ type }) => type === 'task.completed');
    expect(events.filter(({ type }) => type.startsWith('task.')).map(({ type }) => type)).toEqual([
      'task.queued',
      'task.started',
      'task.completed',
    ]);
  });

  test('one whose request is not repeated is ended by the sweep and never begins; a later repeat still starts it', async () => {
    const request = { agent: 'knowledge', input: { text: 'not repeated' } };
    const { start, task } = await startInVain(request, 'not-repeated');
    await harness.postgres.pool.query(`update tasks set updated_at = now() - interval '5 minutes' where id = $1`, [
      task.id,
    ]);
    await eventsUntil(task.id, ({ type }) => type === 'task.failed');
    expect(await harness.row(task.id)).toMatchObject({ status: 'failed', error: { code: 'never_started' } });

    const repeated = await harness.tasks.create(scope, request, { idempotencyKey: 'not-repeated' });
    expect(repeated).toMatchObject({ id: task.id, status: 'queued', error: null });
    harness.script([{ text: ['Started after all.'] }]);
    await harness.control.tasks.start(start);
    await eventsUntil(task.id, ({ type }) => type === 'task.completed', repeated.lastSeq);
    expect(await harness.row(task.id)).toMatchObject({ status: 'completed', error: null });
  });

  /** Creates a task whose start Temporal refuses. */
  async function startInVain(request: { agent: string; input: { text: string } }, idempotencyKey: string) {
    const task = await harness.tasks.create(scope, request, { idempotencyKey });
    const start = { ...scope, taskId: task.id, agent: task.agent, head: task.head };
    await expect(harness.control.tasks.start({ ...start, priority: -1 })).rejects.toThrow();
    return { task, start };
  }

  test('a workflow state read before the workflow began does not judge its task; one read later starts it again', async () => {
    const task = await harness.tasks.create(scope, { agent: 'knowledge', input: { text: 'begins' } }, {});
    const state = await harness.workflows.describe(taskWorkflowId(task.id));
    await harness.tasks.start(
      { taskId: task.id, agent: 'knowledge', ...scope },
      { runId: 'begun' },
      { model: 'scripted:test' },
    );
    expect(await harness.tasks.reconcile(task.id, state)).toBeUndefined();
    expect((await harness.row(task.id)).status).toBe('running');

    await harness.postgres.pool.query(`update tasks set updated_at = now() - interval '5 minutes' where id = $1`, [
      task.id,
    ]);
    harness.script([{ text: ['Begun again.'] }]);
    await eventsUntil(task.id, ({ type }) => type === 'task.completed');
    expect(await harness.row(task.id)).toMatchObject({ status: 'completed', result: { text: 'Begun again.' } });
  });
});
