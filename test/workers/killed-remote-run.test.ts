import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteHarness, type RemoteHarness } from '../support/a2a/remote-harness.ts';
import { startSampleAgent, type SampleAgent } from '../support/a2a/sample-agent.ts';
import { startFakeCrew } from '../support/crewai/fake-crew.ts';
import { startRole } from '../support/processes/role-process.ts';
import { until } from '../support/until.ts';

let agent: SampleAgent;
let crew: Awaited<ReturnType<typeof startFakeCrew>>;
let harness: RemoteHarness;
beforeAll(async () => {
  [agent, crew] = await Promise.all([startSampleAgent(), startFakeCrew({ token: 'crew-secret', inputs: ['topic'] })]);
  const auth = { bearer: 'TEST_CREW_TOKEN' };
  harness = await createRemoteHarness(
    {
      weather: { protocol: 'a2a', url: agent.url, description: 'Answers.', costPerCallUsd: 0.25 },
      travel: { protocol: 'crewai', url: crew.url, description: 'Plans.', auth, costPerCallUsd: 2 },
    },
    { isServed: false },
  );
}, 120_000);
afterAll(async () => {
  await harness?.close();
  await Promise.all([agent?.close(), crew?.close()]);
});

const startWorker = () =>
  startRole('workers/main.ts', ['--queue', 'packs'], harness.config, { TEST_CREW_TOKEN: 'crew-secret' });

test('a worker that is killed while remote agents work leaves the rest to another, and each is asked once', async () => {
  const goOn = Promise.withResolvers<void>();
  agent.work = async (work) => {
    await goOn.promise;
    work.answer('Rain.');
  };
  let isDone = false;
  crew.status = () => (isDone ? { status: 'completed', result: { output: 'A plan.' } } : { status: 'running' });
  const first = startWorker();
  await first.ready;
  const tasks = await Promise.all(
    ['weather', 'travel'].map((name) => harness.start({ agent: name, input: { text: 'Go' } })),
  );
  const isFollowed = async (id: string) =>
    (await harness.events.read(harness.scope, id, 0, 50)).some(({ type }) => type === 'remote.progress');
  await until('both work', async () => (await Promise.all(tasks.map(({ id }) => isFollowed(id)))).every(Boolean));
  await first.end('SIGKILL');
  const second = startWorker();
  await second.ready;
  goOn.resolve();
  isDone = true;
  await Promise.all(tasks.map(({ handle }) => handle.result()));
  const [weather, travel] = await Promise.all(tasks.map(({ id }) => harness.row(id)));
  expect(weather).toMatchObject({ result: { text: 'Rain.' }, usage: { modelCalls: 1, costUsd: 0.25 } });
  expect(travel).toMatchObject({ result: { text: 'A plan.' }, usage: { modelCalls: 1, costUsd: 2 } });
  expect([agent.count('SendMessage'), crew.kickoffs.length]).toEqual([1, 1]);
  await second.end();
}, 120_000);

test('a worker that is killed between the request and its answer does not ask twice', async () => {
  const hasArrived = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  const before = crew.kickoffs.length;
  crew.holds = async (path) => {
    if (path !== '/kickoff') return;
    hasArrived.resolve();
    await mayAnswer.promise;
  };
  const first = startWorker();
  await first.ready;
  const { id, handle } = await harness.start({ agent: 'travel', input: { text: 'Rome' } });
  await hasArrived.promise;
  await first.end('SIGKILL');
  mayAnswer.resolve();
  const second = startWorker();
  await handle.result().catch(() => {});
  expect(await harness.row(id)).toMatchObject({
    status: 'failed',
    error: { code: 'effect_unknown' },
    usage: { costUsd: 2 },
  });
  expect(crew.kickoffs).toHaveLength(before + 1);
  await second.end();
}, 120_000);
