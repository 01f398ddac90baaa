import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../wiring/adapters.ts';
import type { TaskEvent } from '../../contract/events.ts';
import { agentQueue } from '../../contract/ids.ts';
import { activityAttempts } from '../support/tasks/activity-attempts.ts';
import { callsOf, firstSerial } from '../support/providers/counting-provider.ts';
import { seededRandom } from '../../cli/eval/seeded-random.ts';
import { createCountingEnvironment, type CountingEnvironment } from '../support/providers/counting-environment.ts';
import { crashPoints, watchCrashPoints, type CrashPoint } from '../support/processes/crash-points.ts';
import { createKillableProcesses, pick } from '../support/processes/killable-processes.ts';
import { followTask, startTask } from '../support/tasks/tasks.ts';

const tasks = 20;
const workersAtOnce = 3;
const kills = Number(process.env.ALFRED_TEST_KILLS ?? 10);
const seed = Number(process.env.ALFRED_TEST_SEED ?? Date.now() % 1_000_000);

let provider: CountingEnvironment['provider'];
let env: CountingEnvironment;
let adapters: Adapters;
let crashes: Awaited<ReturnType<typeof watchCrashPoints>>;
beforeAll(async () => {
  env = await createCountingEnvironment(60);
  adapters = env.adapters;
  provider = env.provider;
  crashes = await watchCrashPoints(env.config.DATABASE_URL);
});
afterAll(async () => {
  await crashes?.close();
  await env?.close();
});

const rows = async <T extends object>(text: string) => (await env.postgres.pool.query<T>(text)).rows;

test(`${kills} kills at random moments over ${tasks} tasks: nothing is charged twice, no event is missing, all tasks end`, async () => {
  const random = seededRandom(seed);
  // Printed first, so that a run that hangs can be repeated, too.
  console.log(`kill loop: ALFRED_TEST_SEED=${seed}`);
  const startedAt = performance.now();
  const workers = createKillableProcesses(['workers/main.ts', '--queue', agentQueue('knowledge')], env.config, crashes);
  try {
    for (let i = 0; i < workersAtOnce; i++) workers.start();
    const deps = { client: env.client, tasks: adapters.tasks };
    const begun = await Promise.all(Array.from({ length: tasks }, (_, i) => startTask(deps, `task ${i}`)));
    const ids = begun.map(({ id }) => id);
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
      await workers.someReady();
      // Some kills at random moments, the others right after a row was stored and before Temporal knows of it.
      const at = pick<'random' | CrashPoint>(random, ['random', 'random', 'random', 'stored', ...crashPoints]);
      if (at === 'random') {
        await sleep(random() * 600);
        if (workers.kill(pick(random, workers.ready()))) killsAt.random++;
      } else if (await crashes.killAt(at, (name) => workers.kill(name), 2_000)) killsAt[at]++;
    }
    provider.finish();
    const histories = await Promise.all(ids.map((id) => followTask(adapters.events, id, 240_000)));
    const reused = (await Promise.all(ids.map(countReusedAnswers))).reduce((sum, n) => sum + n, 0);
    console.log(
      `kill loop: ${kills} kills (${JSON.stringify(killsAt)}): ${provider.responses.length} requests, ${reused} stored answers reused by the next attempt, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`,
    );

    for (const [i, events] of histories.entries()) checkEvents(events, `task ${i}`);
    await checkLedger();
    // Otherwise no worker died between storing an answer and completing its activity. A single kill there may come
    // after the completion.
    if (killsAt.stored > 2) expect(reused).toBeGreaterThan(0);
  } finally {
    await workers.end();
  }
}, 480_000);

/** The number of a task's answers that one attempt stored and a later attempt reused. */
async function countReusedAnswers(id: string): Promise<number> {
  const paid = await rows<{ step: number; attempt: number }>(
    `select step, attempt from model_calls where outcome = 'completed' and task_id = '${id}'`,
  );
  const attempts = await activityAttempts(env.client, id, 'callModel');
  return paid.filter(({ step, attempt }) => (attempts[step - 1] ?? 0) > attempt).length;
}

/** Expects events without a gap, one end, and for each step one completion, by the attempt with the complete text. */
function checkEvents(events: TaskEvent[], task: string) {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.filter(({ type }) => /^task\.(completed|failed|cancelled)$/.test(type))).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: 'task.completed', data: { result: { text: `The answer to ${task}.` } } });
  const completed = events.flatMap((event) => (event.type === 'model.completed' ? [event.data] : []));
  expect(completed.map(({ step }) => step)).toEqual(completed.map((_, i) => i + 1));
  for (const { step, attempt } of completed) {
    const text = events
      .flatMap((event) =>
        event.type === 'text.delta' && event.data.step === step && event.data.attempt === attempt
          ? [event.data.text]
          : [],
      )
      .join('');
    const isLast = step === completed.length;
    expect(text).toBe(isLast ? `The answer to ${task}.` : `Step ${step} of ${task}, looking on. `);
  }
  for (const { step } of completed) {
    const calls = step === completed.length ? 0 : callsOf(step);
    const begun = events.flatMap(({ type, data }) =>
      type === 'tool.started' && data.step === step ? [data.callId] : [],
    );
    const completedCalls = events.flatMap(({ type, data }) =>
      type === 'tool.completed' && data.step === step ? [data.callId] : [],
    );
    expect(new Set(begun).size).toBe(calls);
    expect(begun).toHaveLength(calls);
    expect(completedCalls.toSorted()).toEqual(begun.toSorted());
  }
}

async function checkLedger() {
  // An attempt may stay open when its worker died and another attempt stored the answer. It is written off later.
  const unpaidOpen = `select task_id from model_calls o where outcome = 'open' and not exists (
    select from model_calls c where c.task_id = o.task_id and c.step = o.step and c.outcome = 'completed')`;
  expect(await rows(unpaidOpen)).toEqual([]);
  const paidTwice = `select task_id from model_calls where outcome = 'completed' group by task_id, step having count(*) > 1`;
  expect(await rows(paidTwice)).toEqual([]);

  // No attempt begins after its step was paid: the stored answer is returned.
  const paidBefore = await rows(
    `select later.task_id from model_calls later join model_calls paid using (task_id, step, purpose)
     where paid.outcome = 'completed' and later.created_at > paid.ended_at`,
  );
  expect(paidBefore).toEqual([]);

  // Every charged response was sent completely, and none is charged twice.
  const charged = await rows<{ serial: number; outcome: string }>(
    `select input_tokens::int as serial, outcome from model_calls where outcome in ('completed', 'wasted')`,
  );
  const serials = charged.map(({ serial }) => serial);
  expect(serials).toEqual([...new Set(serials)]);
  expect(serials.filter((serial) => !provider.responses[serial - firstSerial]?.isComplete)).toEqual([]);
  // Every request is in the ledger.
  const [{ attempts } = { attempts: 0 }] = await rows<{ attempts: number }>(
    'select count(*)::int as attempts from model_calls',
  );
  expect(provider.responses.length).toBeLessThanOrEqual(attempts);

  const wrongSums = await rows(
    `select t.id, t.cost_usd, sum(c.cost_usd) from tasks t join model_calls c on c.task_id = t.id and c.outcome <> 'open'
     group by t.id having t.cost_usd <> sum(c.cost_usd) or t.model_calls <> count(*) filter (where c.input_tokens + c.output_tokens > 0)
       or t.input_tokens <> sum(c.input_tokens) or t.output_tokens <> sum(c.output_tokens)`,
  );
  expect(wrongSums).toEqual([]);
  const receipts = await rows('select from tool_calls where result_hash is null');
  expect(receipts).toEqual([]);
}
