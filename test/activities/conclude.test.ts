import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createEffects } from '../../adapters/postgres/ledger/effects.ts';
import { createErasure } from '../../adapters/postgres/erasure/erasure.ts';
import type { TaskRef } from '../../contract/references.ts';
import { createTaskActivities, type TaskDeps } from '../../activities/tasks.ts';
import type { Agent } from '../../agents/index.ts';
import type { Message } from '../../contract/ports/index.ts';
import type { Citation, TaskResult } from '../../contract/task.ts';
import { createTaskCitations } from '../../knowledge/store/task-citations.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { passage } from '../support/documents/passage.ts';
import { createLedgerHarness, local, type LedgerHarness } from '../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
beforeAll(async () => {
  harness = await createLedgerHarness();
});
afterAll(() => harness?.close());

const task = { taskId: 't', tenant: 'local', subject: 'local', agent: 'knowledge' };
const found = (id: string, text: string) => ({ passages: [passage(id, text)] });
const answer = (text: string): Message => ({ role: 'assistant', parts: [{ type: 'text', text }] });
const question: Message = { role: 'user', text: 'How long?' };
const root: Message = {
  role: 'compaction',
  from: 'before',
  passages: { a: 1, b: 2 },
  shownBy: { first: [1], second: [2] },
};

/** What a task concludes whose chain is `shown`, and what is read for it. `all`: also what a summary has replaced. */
async function conclude(shown: Message[], all: Message[] = []) {
  const read: string[] = [];
  let stored: TaskResult | undefined;
  const deps = {
    ledger: { listOpenCalls: async () => [], findCutAnswer: async () => undefined },
    messageStore: {
      load: async () => ({ messages: shown, stored: [] }),
      loadAll: async () => {
        read.push('all');
        return all;
      },
      loadResults: async (_: unknown, hashes: string[]) => {
        read.push(...hashes);
        return [found('a', 'You have 30 days to file a report.')];
      },
    },
    tasks: {
      adopt: async () => {},
      storeResult: async (_: unknown, __: unknown, result: TaskResult) => {
        stored = result;
        return 'h';
      },
    },
    agents: { knowledge: { tools: ['search_documents'] } as unknown as Agent },
    metrics: createMetrics(),
  } as unknown as TaskDeps;
  await new MockActivityEnvironment().run(() => createTaskActivities(deps).conclude({ task, head: 'h' }));
  return { read, text: stored?.text, cited: stored?.citations.map(({ n, quote }) => [n, quote]) };
}

test('of what a summary has replaced, only the result that the partial answer cites is read', async () => {
  expect(await conclude([root, question, answer('You have 30 days [1].')])).toEqual({
    read: ['first'],
    text: 'You have 30 days [1].',
    cited: [[1, 'You have 30 days to file a report.']],
  });
});

test('a last text that a summary has replaced is found', async () => {
  const { read, text } = await conclude([root, question], [question, answer('So far nothing.')]);
  expect({ read, text }).toEqual({ read: ['all'], text: 'So far nothing.' });
});

test('a task without any text says so', async () => {
  expect(await conclude([question])).toMatchObject({ read: [], text: 'The budget ended before there was an answer.' });
});

test.each(['conclude', 'closeTask'] as const)(
  'a run that starts again from the rows while %s waits for an interrupted call keeps the task',
  async (activity) => {
    const { task, head } = await harness.newTask();
    await harness.begin(task);
    const waits = Promise.withResolvers<void>();
    const restarted = Promise.withResolvers<void>();
    const { ledger, tasks, messageStore, log } = harness;
    const deps = {
      ledger,
      tasks,
      messageStore,
      log,
      effects: createEffects(harness.db),
      agents: { knowledge: { tools: [] } as unknown as Agent },
      metrics: createMetrics(),
      leases: {
        async stateOf() {
          waits.resolve();
          await restarted.promise;
          await ledger.writeOffOpenCalls(task);
          return 'leased';
        },
      },
    } as unknown as TaskDeps;
    const environment = new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId: 'run-1' } });
    const activities = createTaskActivities(deps);
    const closure = { status: 'failed', code: 'internal', message: 'of the lost run' } as const;
    const ending = environment.run((): Promise<unknown> =>
      activity === 'conclude' ? activities.conclude({ task, head }) : activities.closeTask({ task, closure }),
    );
    const failed = ending.then(
      () => undefined,
      (error: unknown) => error,
    );
    await waits.promise;
    await tasks.start(task, { runId: 'run-2' }, { model: 'scripted:x' });
    restarted.resolve();
    // It has nothing to say about the end any more, and what it says is not heard.
    expect(await failed).toEqual(activity === 'conclude' ? expect.objectContaining({ code: 'superseded' }) : undefined);
    expect(await tasks.get(local, task.taskId)).toMatchObject({ status: 'running', error: null });
    const { rows } = await harness.pool.query('select run_id, result_hash from tasks where id = $1', [task.taskId]);
    expect(rows).toEqual([{ run_id: 'run-2', result_hash: null }]);
  },
);

test('a run that was superseded takes neither the task nor its answer from the run that has it now', async () => {
  const { ledger, tasks, messageStore, log } = harness;
  const stateOf = async (): Promise<never> => {
    throw new Error('no call of another run is waited for');
  };
  const effects = createEffects(harness.db);
  const deps = { ledger, tasks, messageStore, log, effects, metrics: createMetrics(), leases: { stateOf } };
  const activities = createTaskActivities(deps as unknown as TaskDeps);
  const closeAs = (runId: string) =>
    new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId } }).run(() =>
      activities.closeTask({ task, closure: { status: 'failed', code: 'superseded', message: 'A newer run.' } }),
    );
  const { task } = await harness.newTask();
  await tasks.start(task, { runId: 'run-1' }, { model: 'scripted:x' });
  await tasks.start(task, { runId: 'run-2' }, { model: 'scripted:x' });
  await harness.begin(task, { runId: 'run-2' });
  const hash = await tasks.storeResult(task, { runId: 'run-2' }, { text: 'The answer.', citations: [] });
  await closeAs('run-1');
  const { rows } = await harness.pool.query('select status, run_id, result_hash from tasks where id = $1', [
    task.taskId,
  ]);
  expect(rows).toEqual([{ status: 'running', run_id: 'run-2', result_hash: hash }]);
  await tasks.complete(task, { runId: 'run-2' }, hash);
  await closeAs('run-1');
  expect(await tasks.get(local, task.taskId)).toMatchObject({ status: 'completed', result: { text: 'The answer.' } });

  // Of the run that has the row, an end is an end.
  const { task: other } = await harness.newTask();
  await tasks.start(other, { runId: 'run-1' }, { model: 'scripted:x' });
  await new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId: 'run-1' } }).run(() =>
    activities.closeTask({ task: other, closure: { status: 'failed', code: 'superseded', message: 'x' } }),
  );
  expect(await tasks.get(local, other.taskId)).toMatchObject({ status: 'failed', error: { code: 'superseded' } });
});

test('a partial result of a run before a reset goes with its task, or when another one takes its place', async () => {
  const { tasks, pool, db, log } = harness;
  const count = async () =>
    (await pool.query(`select from contents where position('PARTIAL'::bytea in bytes) > 0`)).rows.length;
  const citation = { n: 1, documentId: randomUUID(), chunkId: 'c', version: 1, quote: 'q', start: 0, end: 1 };
  const store = (task: TaskRef, runId: string, text: string) =>
    tasks.storeResult(task, { runId }, { text, citations: [citation as Citation], incomplete: 'budget' });
  const countCitations = async () => (await createTaskCitations(db).list(local, one.taskId))?.length;
  const [{ task: one }, { task: other }] = [await harness.newTask(), await harness.newTask()];
  const first = await store(one, 'run-1', 'PARTIAL one');
  expect(await countCitations()).toBe(0);
  await tasks.complete(one, { runId: 'run-1' }, first);
  await tasks.complete(other, { runId: 'run-1' }, await store(other, 'run-1', 'PARTIAL of the other'));
  for (const task of [one, other]) await tasks.adopt(task, { runId: 'run-2' });
  expect(await tasks.get(local, one.taskId)).toMatchObject({ status: 'running', result: null });
  expect(await countCitations()).toBe(0);
  // The workflow was reset after it had stored the result.
  await tasks.complete(one, { runId: 'run-2' }, first);
  expect(await tasks.get(local, one.taskId)).toMatchObject({ status: 'incomplete', result: { text: 'PARTIAL one' } });
  expect(await countCitations()).toBe(1);
  // It was reset before, and once more after.
  await tasks.adopt(one, { runId: 'run-3' });
  await store(one, 'run-3', 'PARTIAL two');
  expect(await count()).toBe(2);
  await tasks.adopt(one, { runId: 'run-4' });
  await expect(tasks.complete(one, { runId: 'run-4' }, first)).rejects.toThrow(
    'Reset the workflow to an earlier event',
  );
  for (const task of [one, other]) {
    await tasks.close(task, undefined, { status: 'cancelled', reason: 'test' });
    await createErasure(db, log).deleteTask(local, task.taskId);
  }
  expect(await count()).toBe(0);
});

test('a result that another attempt has just stored goes when this one takes its place', async () => {
  const { tasks, pool } = harness;
  const { task } = await harness.newTask();
  const isStored = async (hash: string) =>
    (await pool.query('select from contents where subject = $1 and hash = $2', [task.subject, hash])).rowCount === 1;
  const other = await pool.connect();
  await other.query('begin');
  await other.query(`update tasks set result_hash = 'h-other' where id = $1`, [task.taskId]);
  await other.query(`insert into contents (tenant, subject, hash, bytes) values ($1, $2, 'h-other', '')`, [
    task.tenant,
    task.subject,
  ]);
  // It has read the row, which names no result yet, and waits for its lock.
  const storing = tasks.storeResult(task, { runId: 'run-1' }, { text: 'Mine.', citations: [] });
  await harness.untilStatementsWait(1);
  await other.query('commit');
  other.release();
  const hash = await storing;
  expect([await isStored('h-other'), await isStored(hash)]).toEqual([false, true]);
  const { rows } = await pool.query('select result_hash from tasks where id = $1', [task.taskId]);
  expect(rows).toEqual([{ result_hash: hash }]);
});
