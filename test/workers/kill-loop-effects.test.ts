import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { replayHistory } from '../../cli/replay/replay-history.ts';
import type { TaskEvent } from '../../contract/events.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { decideUpdate } from '../../workflows/signals-and-updates.ts';
import { seededRandom } from '../../cli/eval/seeded-random.ts';
import { createBookingHarness, type BookingHarness } from '../support/bookings/booking-harness.ts';
import { createKillableProcesses, pick } from '../support/processes/killable-processes.ts';
import { crashPoints, type CrashPoint } from '../support/processes/crash-points.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';
import { person } from '../support/principals.ts';

const tasks = 20;
const workersAtOnce = 3;
const kills = Number(process.env.ALFRED_TEST_KILLS ?? 10);
const seed = Number(process.env.ALFRED_TEST_SEED ?? Date.now() % 1_000_000);
/** Bookings of each task. Every other one needs approval. */
const bookings = 6;

let harness: BookingHarness;
beforeAll(async () => {
  const steps = Array.from({ length: bookings }, (_, i) => ({
    calls: [{ tool: 'book', arguments: { what: 'room {{step}}', isDear: i % 2 === 0 } }],
    firstTokenMs: 150,
  }));
  harness = await createBookingHarness({
    approvals: [{ tool: 'book', when: [{ argument: 'isDear', equals: true }] }],
    turns: [...steps, { text: 'All is booked.', firstTokenMs: 150 }],
  });
});
afterAll(() => harness?.close());

test(`${kills} kills over ${tasks} tasks that book and wait for approvals: each booking is made once, each approval decided once`, async () => {
  const random = seededRandom(seed);
  console.log(`kill loop with effects: ALFRED_TEST_SEED=${seed}`);
  const begun = performance.now();
  const workers = createKillableProcesses(harness.workerArgs, harness.env.config, harness.crashPoints);
  const people = approveEverything(['ann', 'bob']);
  try {
    for (let i = 0; i < workersAtOnce; i++) workers.start();
    const ids: string[] = [];
    const killsAt: Record<'random' | CrashPoint, number> = {
      random: 0,
      charged: 0,
      stored: 0,
      intent: 0,
      receipt: 0,
      left: 0,
      decided: 0,
      resumed: 0,
    };
    while (workers.killed() < kills) {
      // Starts tasks during the kills, so that some are running at the last kill.
      while (ids.length < tasks * Math.min(1, (workers.killed() + 5) / (kills - 5)))
        ids.push((await startTask({ client: harness.env.client, tasks: harness.adapters.tasks }, 'Book.')).id);
      await workers.someReady();
      const at = pick<'random' | CrashPoint>(random, [
        'random',
        'random',
        'left',
        'left',
        'left',
        'decided',
        'resumed',
        ...crashPoints,
      ]);
      if (at === 'random') {
        await sleep(random() * 600);
        if (workers.kill(pick(random, workers.ready()))) killsAt.random++;
      } else if (await harness.crashPoints.killAt(at, (name) => workers.kill(name), 1_000)) killsAt[at]++;
    }
    const histories = await Promise.all(ids.map((id) => followTask(harness.adapters.events, id, 300_000)));
    people.stop();
    const spent = ((performance.now() - begun) / 1_000).toFixed(0);
    console.log(
      `kill loop with effects: ${kills} kills (${JSON.stringify(killsAt)}): ${harness.bookingServer.posts.length} bookings, ${harness.bookingServer.lookups.length} lookups, ${people.refused()} second decisions refused, ${spent} s, errors of people: ${JSON.stringify(people.errors)}`,
    );
    expect(people.wrongVerdicts).toEqual([]);
    await expectEnded(ids, histories);
    await expectReplays(ids);
    expect(ids).toHaveLength(tasks);
    for (const events of histories) checkEvents(events);
    const expected = ids.flatMap((id) =>
      Array.from({ length: bookings }, (_, i) => `${id}/${i + 1}/scripted-${i + 1}-1`),
    );
    expect(harness.bookingServer.posts.toSorted()).toEqual(expected.toSorted());
    const { rows } = await harness.env.postgres.pool.query(
      'select status, count(*)::int as n from approvals group by 1',
    );
    expect(rows).toEqual([{ status: 'approved', n: (tasks * bookings) / 2 }]);
  } finally {
    people.stop();
    await workers.end();
  }
}, 600_000);

/**
 * Several people approve all pending approvals at the same time. The first one decides; the others are refused, with
 * the name of the first one.
 */
function approveEverything(people: string[]) {
  let isStopped = false;
  let refused = 0;
  const errors: string[] = [];
  const wrongVerdicts: string[] = [];
  const decide = async (by: string, id: string, taskId: string) => {
    try {
      const { client } = harness.env;
      const verdict = await withTemporalTimeout(client, 5_000, () =>
        client.workflow.getHandle(taskWorkflowId(taskId)).executeUpdate(decideUpdate, {
          args: [{ id, approve: true, by, roles: [] }],
        }),
      );
      if (verdict.by !== by) wrongVerdicts.push(`${by} got the decision of ${verdict.by} as if it were the same`);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) refused++;
    }
  };
  const work = async (by: string) => {
    while (!isStopped) {
      try {
        const { approvals } = await harness.adapters.approvals.list(person(scope.subject, { tenant: scope.tenant }), {
          status: 'pending',
          limit: 50,
        });
        await Promise.all(approvals.map(({ id, taskId }) => decide(by, id, taskId)));
      } catch (error) {
        // Right after a kill Postgres may have no free connection. Go on, or tasks would wait for ever.
        errors.push(String(error));
      }
      await sleep(50);
    }
  };
  for (const by of people) void work(by);
  return {
    stop: () => {
      isStopped = true;
    },
    refused: () => refused,
    errors,
    wrongVerdicts,
  };
}

/** Expects that all tasks have completed. For one that has not, the failure shows what Temporal waits for. */
async function expectEnded(ids: string[], histories: TaskEvent[][]) {
  const stuck = ids.filter((_, i) => histories[i]?.at(-1)?.type !== 'task.completed');
  const waits = await Promise.all(
    stuck.map(async (id) => {
      const handle = harness.env.client.workflow.getHandle(taskWorkflowId(id));
      const { raw } = await handle.describe();
      const { events } = await handle.fetchHistory();
      return {
        id,
        lastEvents: histories[ids.indexOf(id)]?.slice(-3).map(({ type, at }) => `${at} ${type}`),
        history: events?.slice(-8).map(({ eventType }) => eventType),
        status: raw.workflowExecutionInfo?.status,
        task: raw.pendingWorkflowTask,
        activities: raw.pendingActivities,
      };
    }),
  );
  expect(waits).toEqual([]);
}

/** Expects that the history of every task replays: however often workers died, the workflow code explains it. */
async function expectReplays(ids: string[]) {
  const bundle = { code: await readFile(harness.env.config.ALFRED_WORKFLOW_BUNDLE ?? '', 'utf8') };
  for (const id of ids) {
    const replay = await replayHistory(
      bundle,
      await harness.env.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory(),
    );
    expect(replay.isSame ? 'same' : replay.divergence).toBe('same');
  }
}

/** Expects events without a gap, one result a booking, one request and decision an approval, and one successful end. */
function checkEvents(events: TaskEvent[]) {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: 'All is booked.' } } });
  const steps = (type: TaskEvent['type']) =>
    events.flatMap((event) => (event.type === type && 'step' in event.data ? [event.data.step] : []));
  const all = Array.from({ length: bookings }, (_, i) => i + 1);
  const approved = all.filter((step) => step % 2 === 1);
  expect(steps('tool.started')).toEqual(all);
  expect(steps('tool.completed')).toEqual(all);
  expect(steps('approval.requested')).toEqual(approved);
  expect(steps('approval.decided')).toEqual(approved);
}
