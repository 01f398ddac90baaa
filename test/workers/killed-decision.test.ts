import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { decideUpdate } from '../../workflows/signals-and-updates.ts';
import { createBookingHarness, type BookingHarness } from '../support/bookings/booking-harness.ts';
import { createKillableProcesses } from '../support/processes/killable-processes.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';
import { person } from '../support/principals.ts';

let harness: BookingHarness;
beforeAll(async () => {
  const book = { calls: [{ tool: 'book', arguments: { what: 'a room', isDear: true } }] };
  harness = await createBookingHarness({ approvals: [{ tool: 'book' }], turns: [book, { text: 'It is booked.' }] });
});
afterAll(() => harness?.close());

test('a task continues with a decision whose worker died while storing it, also when the decider does not repeat it', async () => {
  const workers = createKillableProcesses(harness.workerArgs, harness.env.config, harness.crashPoints);
  try {
    workers.start();
    await workers.someReady();
    const { client } = harness.env;
    const { id: task } = await startTask({ client, tasks: harness.adapters.tasks }, 'Book.');
    const pendingApproval = async () =>
      (
        await harness.adapters.approvals.list(person(scope.subject, { tenant: scope.tenant }), {
          status: 'pending',
          limit: 1,
        })
      ).approvals[0];
    const approval = await until('the task waits for an approval', pendingApproval);
    const killed = harness.crashPoints.killAt('decided', (name) => workers.kill(name), 20_000);
    const again = killed.then(() => harness.crashPoints.killAt('resumed', (name) => workers.kill(name), 80_000));
    // The update is not repeated: the row already contains the decision.
    await withTemporalTimeout(client, 2_000, () =>
      client.workflow.getHandle(taskWorkflowId(task)).executeUpdate(decideUpdate, {
        args: [{ id: approval.id, approve: true, by: 'ann', roles: [] }],
      }),
    ).catch(() => {});
    expect([await killed, await again]).toEqual([true, true]);

    const events = await followTask(harness.adapters.events, task, 60_000);
    expect(events.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: 'It is booked.' } } });
    expect(harness.bookingServer.posts).toHaveLength(1);
    // Temporal forgets an accepted update that is not in the history when it reloads the workflow, and no client sends
    // this one again. So it must be in the history before it is stored.
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
});
