import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../activities/adapters/index.ts';
import { taskWorkflowId } from '../../contract/ids.ts';
import { inTime } from '../../runtime/in-time.ts';
import { decideUpdate } from '../../workflows/messages.ts';
import { startBookingServer } from '../support/booking-server.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { createKillableWorkers } from '../support/killable-workers.ts';
import { watchMoments } from '../support/moments.ts';
import { eventually } from '../support/passage-indexes.ts';
import { eventsOf, scope, startTask } from '../support/tasks.ts';

let world: Awaited<ReturnType<typeof startBookingServer>>;
let env: TestEnvironment;
let adapters: Adapters;
let watch: Awaited<ReturnType<typeof watchMoments>>;
beforeAll(async () => {
  world = await startBookingServer();
  env = await createTestEnvironment({
    ALFRED_MODEL: 'scripted:test',
    ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: 'book' }] } }),
    ALFRED_SCRIPT_FILE: 'to be written',
  });
  const script = join(env.config.ALFRED_DATA_DIR, 'script.json');
  const book = { calls: [{ tool: 'book', arguments: { what: 'a room', isDear: true } }] };
  await writeFile(script, JSON.stringify({ turns: [book, { text: 'It is booked.' }] }));
  env.config = { ...env.config, ALFRED_SCRIPT_FILE: script };
  adapters = createAdapters(env);
  watch = await watchMoments(env.config.DATABASE_URL);
});
afterAll(async () => {
  await watch?.close();
  await adapters?.close();
  await env?.close();
  world?.server.close();
  world?.server.closeAllConnections();
});

test('a decision whose worker dies as it is written, and whose person has gone, is what the task goes on with', async () => {
  const workers = createKillableWorkers(['test/support/booking-worker.ts', world.url], env.config, watch);
  try {
    workers.start();
    await workers.someReady();
    const { client } = env;
    const { id: task } = await startTask({ client, tasks: adapters.tasks }, 'Book.');
    const waits = async () =>
      (await adapters.approvals.list({ ...scope, roles: [] }, { status: 'pending', limit: 1 })).approvals[0];
    await eventually(async () => expect(await waits()).toBeDefined());
    const asked = await waits();
    const killed = watch.first('decided', (name) => workers.kill(name), 20_000);
    const again = killed.then(() => watch.first('resumed', (name) => workers.kill(name), 40_000));
    // Nobody repeats it: the row says that it is decided.
    await inTime(client, 2_000, () =>
      client.workflow.getHandle(taskWorkflowId(task)).executeUpdate(decideUpdate, {
        args: [{ id: asked?.id ?? '', approve: true, by: 'ann', roles: [] }],
      }),
    ).catch(() => {});
    expect([await killed, await again]).toEqual([true, true]);

    const events = await eventsOf(adapters.events, task, 60_000);
    expect(events.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: 'It is booked.' } } });
    expect(world.posts).toHaveLength(1);
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
