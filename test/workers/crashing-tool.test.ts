import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TaskEvent } from '../../contract/events.ts';
import { writePack } from '../agents/packs/write-pack.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { createKillableProcesses } from '../support/processes/killable-processes.ts';
import { activityAttempts } from '../support/tasks/activity-attempts.ts';
import { followTask, scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

// Workers under a supervisor that starts another one for each that ends, and a pack whose tools end their process.

const agent = `
import { defineAgent, defineTool, z } from 'alfred/agent';
const input = z.strictObject({ id: z.string() });
const tool = (name, definition) => defineTool({ name, description: name, input, ...definition });
const done = async () => ({ output: 'It is there.', summary: 'done' });
const crash = () => process.abort();
export default defineAgent({
  description: 'Crashes.',
  instructions: 'Crash.',
  tools: [
    tool('read_slowly', { run: () => new Promise((resolve) => setTimeout(resolve, 3_000)).then(done) }),
    tool('read_slowly_and_crash', { run: () => new Promise(() => setTimeout(crash, 1_500)) }),
    tool('send_and_crash', {
      effect: 'write',
      repeatable: true,
      run: async (_, { beforeSend }) => { await beforeSend(); process.kill(process.pid, 'SIGSEGV'); while (true); },
    }),
    tool('crash_in_undo', {
      effect: 'write',
      run: async (_, { beforeSend }) => { await beforeSend(); return done(); },
      undo: async () => crash(),
    }),
  ],
  withoutApproval: ['send_and_crash', 'crash_in_undo'],
});`;

let env: AdapterEnvironment;
let workers: ReturnType<typeof createKillableProcesses>;
let ended = 0;
beforeAll(async () => {
  env = await createAdapterEnvironment({ ALFRED_MODEL: 'offline:quote', ALFRED_EMBEDDINGS: 'none' });
  const folder = await writePack({ 'agents/crashing/agent.js': agent });
  workers = createKillableProcesses(
    ['workers/main.ts', '--queue', 'packs', '--queue', 'system'],
    { ...env.config, ALFRED_AGENT_PACKS: [folder] },
    { urlFor: () => env.config.DATABASE_URL, onEnd: () => ended++ },
  );
  workers.start();
  await workers.someReady();
});
afterAll(async () => {
  await workers?.end();
  await env?.close();
});

// One end of a worker makes a call run alone, and two more in which it ran alone count against it.
const endedWorkers = 3;

async function call(tool: string) {
  const input = { text: 'Do it', tool: { name: tool, arguments: { id: 'A' } } };
  const { id } = await startTask({ client: env.client, tasks: env.adapters.tasks }, '', { agent: 'crashing', input });
  const events = await followTask(env.adapters.events, id, 170_000);
  return { id, completed: completedIn(events), row: await env.adapters.tasks.get(scope, id) };
}
const completedIn = (events: TaskEvent[]) =>
  events.flatMap((event) => (event.type === 'tool.completed' ? [event.data] : []));

test('a call that ends each worker is not made again: the model reads why; a call beside it has its result', async () => {
  const [culprit, innocent] = await Promise.all([call('read_slowly_and_crash'), call('read_slowly')]);
  expect(culprit.completed).toMatchObject([
    {
      isError: true,
      summary: expect.stringMatching(/worker ended, or hung, 3 times while read_slowly_and_crash ran.*not made again/),
    },
  ]);
  expect(culprit.row?.status).toBe('completed');
  expect(await activityAttempts(env.client, culprit.id, 'runTool')).toEqual([endedWorkers + 1]);
  expect(innocent.completed).toMatchObject([{ isError: false, summary: 'done' }]);
  expect(ended).toBe(endedWorkers);
}, 190_000);

test('of a call that was sent it says that it may have taken effect', async () => {
  ended = 0;
  const { completed, row } = await call('send_and_crash');
  expect(completed).toMatchObject([
    { isError: true, summary: expect.stringMatching(/3 times .* may or may not have/) },
  ]);
  expect(row).toMatchObject({ status: 'completed', effects: [{ tool: 'send_and_crash', state: 'unknown' }] });
  expect(ended).toBe(endedWorkers);
}, 190_000);

test('an undo that ends each worker has failed', async () => {
  const { id } = await call('crash_in_undo');
  ended = 0;
  await env.adapters.control.tasks.undo(scope, id);
  const undone = await until(
    'the undo has ended',
    async () => {
      const events = await env.adapters.events.read(scope, id, 0, 1_000);
      return events.flatMap((event) => (event.type === 'effect.undone' ? [event.data] : []))[0];
    },
    { withinMs: 170_000 },
  );
  expect(undone).toMatchObject({
    state: 'undo_failed',
    summary: expect.stringMatching(/3 times while crash_in_undo ran/),
  });
  expect(ended).toBe(endedWorkers);
}, 190_000);
