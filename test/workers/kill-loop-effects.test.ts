import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { replayHistory } from '../../cli/replay/replay-history.ts';
import type { TaskEvent } from '../../contract/events.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { decideUpdate } from '../../workflows/messages.ts';
import { seededRandom } from '../../cli/eval/seeded-random.ts';
import { createBookingHarness, type BookingHarness } from '../support/bookings/booking-harness.ts';
import { createKillableWorkers, pick } from '../support/processes/killable-workers.ts';
import { crashPoints, type CrashPoint } from '../support/processes/crash-points.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';

const tasks = 20;
const workersAtOnce = 3;
const kills = Number(process.env.ALFRED_TEST_KILLS ?? 50);
const seed = Number(process.env.ALFRED_TEST_SEED ?? Date.now() % 1_000_000);
/** Each task books so often; every other booking waits for a person. */
const bookings = 6;

let here: BookingHarness;
beforeAll(async () => {
  const steps = Array.from({ length: bookings }, (_, i) => ({
    calls: [{ tool: 'book', arguments: { what: 'room {{step}}', isDear: i % 2 === 0 } }],
    firstTokenMs: 150,
  }));
  here = await createBookingHarness({
    approvals: [{ tool: 'book', when: [{ argument: 'isDear', equals: true }] }],
    turns: [...steps, { text: 'All is booked.', firstTokenMs: 150 }],
  });
});
afterAll(() => here?.close());

test(`${kills} kills over ${tasks} tasks that book and wait for approvals: every booking is made once, every approval decided once`, async () => {
  const random = seededRandom(seed);
  console.log(`kill loop with effects: ALFRED_TEST_SEED=${seed}`);
  const begun = performance.now();
  const workers = createKillableWorkers(here.workerArgs, here.env.config, here.crashPoints);
  const people = approveEverything(['ann', 'bob']);
  try {
    for (let i = 0; i < workersAtOnce; i++) workers.start();
    const ids: string[] = [];
    const struck: Record<'random' | CrashPoint, number> = {
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
      // New tasks as the old ones go on, so that there is something to break until the last kill.
      while (ids.length < tasks * Math.min(1, (workers.killed() + 5) / (kills - 5)))
        ids.push((await startTask({ client: here.env.client, tasks: here.adapters.tasks }, 'Book.')).id);
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
        if (workers.kill(pick(random, workers.ready()))) struck.random++;
      } else if (await here.crashPoints.killAt(at, (name) => workers.kill(name), 1_000)) struck[at]++;
    }
    const histories = await Promise.all(ids.map((id) => followTask(here.adapters.events, id, 300_000)));
    people.stop();
    const spent = ((performance.now() - begun) / 1_000).toFixed(0);
    console.log(
      `kill loop with effects: ${kills} kills (${JSON.stringify(struck)}): ${here.bookingServer.posts.length} bookings, ${here.bookingServer.lookups.length} asked about, ${people.refused()} second decisions refused, ${spent} s, faults of people: ${JSON.stringify(people.faults)}`,
    );
    expect(people.untrue).toEqual([]);
    await expectEnded(ids, histories);
    await expectReplays(ids);
    expect(ids).toHaveLength(tasks);
    for (const events of histories) checkEvents(events);
    const expected = ids.flatMap((id) =>
      Array.from({ length: bookings }, (_, i) => `${id}/${i + 1}/scripted-${i + 1}-1`),
    );
    expect(here.bookingServer.posts.toSorted()).toEqual(expected.toSorted());
    const { rows } = await here.env.postgres.pool.query('select status, count(*)::int as n from approvals group by 1');
    expect(rows).toEqual([{ status: 'approved', n: (tasks * bookings) / 2 }]);
  } finally {
    people.stop();
    await workers.end();
  }
}, 600_000);

/** Several people approve whatever waits, at the same time. One of them is first; the others are told so. */
function approveEverything(people: string[]) {
  let stopped = false;
  let refused = 0;
  const faults: string[] = [];
  const untrue: string[] = [];
  const decide = async (by: string, id: string, taskId: string) => {
    try {
      const { client } = here.env;
      const verdict = await withTemporalTimeout(client, 5_000, () =>
        client.workflow.getHandle(taskWorkflowId(taskId)).executeUpdate(decideUpdate, {
          args: [{ id, approve: true, by, roles: [] }],
        }),
      );
      if (verdict.by !== by) untrue.push(`${by} was told that ${verdict.by} has decided, as if it were the same`);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) refused++;
    }
  };
  const work = async (by: string) => {
    while (!stopped) {
      try {
        const { approvals } = await here.adapters.approvals.list(
          { ...scope, roles: [] },
          { status: 'pending', limit: 50 },
        );
        await Promise.all(approvals.map(({ id, taskId }) => decide(by, id, taskId)));
      } catch (error) {
        // Postgres may have no connection left right after a kill; who gives up then leaves tasks waiting.
        faults.push(String(error));
      }
      await sleep(50);
    }
  };
  for (const by of people) void work(by);
  return {
    stop: () => {
      stopped = true;
    },
    refused: () => refused,
    faults,
    untrue,
  };
}

/** A task that has not ended in time says what Temporal waits for. */
async function expectEnded(ids: string[], histories: TaskEvent[][]) {
  const stuck = ids.filter((_, i) => histories[i]?.at(-1)?.type !== 'task.completed');
  const waits = await Promise.all(
    stuck.map(async (id) => {
      const handle = here.env.client.workflow.getHandle(taskWorkflowId(id));
      const { raw } = await handle.describe();
      const { events } = await handle.fetchHistory();
      return {
        id,
        told: histories[ids.indexOf(id)]?.slice(-3).map(({ type, at }) => `${at} ${type}`),
        history: events?.slice(-8).map(({ eventType }) => eventType),
        status: raw.workflowExecutionInfo?.status,
        task: raw.pendingWorkflowTask,
        activities: raw.pendingActivities,
      };
    }),
  );
  expect(waits).toEqual([]);
}

/** However often their workers died, what happened is what the code says would happen. */
async function expectReplays(ids: string[]) {
  const bundle = { code: await readFile(here.env.config.ALFRED_WORKFLOW_BUNDLE ?? '', 'utf8') };
  for (const id of ids) {
    const replay = await replayHistory(
      bundle,
      await here.env.client.workflow.getHandle(taskWorkflowId(id)).fetchHistory(),
    );
    expect(replay.isSame ? 'same' : replay.divergence).toBe('same');
  }
}

/** Numbered without a gap, each booking told once, each approval asked and decided once, one good end. */
function checkEvents(events: TaskEvent[]) {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: 'All is booked.' } } });
  const steps = (type: TaskEvent['type']) =>
    events.flatMap((event) => (event.type === type && 'step' in event.data ? [event.data.step] : []));
  const all = Array.from({ length: bookings }, (_, i) => i + 1);
  const asked = all.filter((step) => step % 2 === 1);
  expect(steps('tool.started')).toEqual(all);
  expect(steps('tool.completed')).toEqual(all);
  expect(steps('approval.requested')).toEqual(asked);
  expect(steps('approval.decided')).toEqual(asked);
}
