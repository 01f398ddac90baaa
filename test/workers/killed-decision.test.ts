import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { decideUpdate } from '../../workflows/messages.ts';
import { createBookingHarness, type BookingHarness } from '../support/bookings/booking-harness.ts';
import { createKillableWorkers } from '../support/processes/killable-workers.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

let here: BookingHarness;
beforeAll(async () => {
  const book = { calls: [{ tool: 'book', arguments: { what: 'a room', isDear: true } }] };
  here = await createBookingHarness({ approvals: [{ tool: 'book' }], turns: [book, { text: 'It is booked.' }] });
});
afterAll(() => here?.close());

test('a decision whose worker dies as it is written, and whose person has gone, is what the task goes on with', async () => {
  const workers = createKillableWorkers(here.workerArgs, here.env.config, here.crashPoints);
  try {
    workers.start();
    await workers.someReady();
    const { client } = here.env;
    const { id: task } = await startTask({ client, tasks: here.adapters.tasks }, 'Book.');
    const waits = async () =>
      (await here.adapters.approvals.list({ ...scope, roles: [] }, { status: 'pending', limit: 1 })).approvals[0];
    const approval = await until('the task waits for an approval', waits);
    const killed = here.crashPoints.killAt('decided', (name) => workers.kill(name), 20_000);
    const again = killed.then(() => here.crashPoints.killAt('resumed', (name) => workers.kill(name), 40_000));
    // Nobody repeats it: the row says that it is decided.
    await withTemporalTimeout(client, 2_000, () =>
      client.workflow.getHandle(taskWorkflowId(task)).executeUpdate(decideUpdate, {
        args: [{ id: approval.id, approve: true, by: 'ann', roles: [] }],
      }),
    ).catch(() => {});
    expect([await killed, await again]).toEqual([true, true]);

    const events = await followTask(here.adapters.events, task, 60_000);
    expect(events.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: 'It is booked.' } } });
    expect(here.bookingServer.posts).toHaveLength(1);
    // Temporal forgets an update that is in no history when it loads a workflow anew, and nobody sends this one again.
    const { events: history } = await client.workflow.getHandle(taskWorkflowId(task)).fetchHistory();
    const accepted = history?.findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
    const written = history?.findIndex(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'decideApproval',
    );
    expect(accepted).toBeGreaterThan(0);
    expect(written).toBeGreaterThan(accepted ?? 0);
  } finally {
    await workers.end();
  }
}, 120_000);
