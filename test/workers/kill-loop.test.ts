import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../activities/adapters/index.ts';
import type { TaskEvent } from '../../contract/events.ts';
import { agentQueue, taskWorkflowId } from '../../contract/ids.ts';
import { firstSerial, startCountingProvider } from '../support/counting-provider.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { startRole } from '../support/role-process.ts';
import { scope } from '../support/task-harness.ts';

const tasks = 20;
const workersAtOnce = 2;
const kills = Number(process.env.ALFRED_TEST_KILLS ?? 50);
const seed = Number(process.env.ALFRED_TEST_SEED ?? Date.now() % 1_000_000);

let provider: Awaited<ReturnType<typeof startCountingProvider>>;
let env: TestEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  provider = await startCountingProvider({ pieceMs: 60 });
  env = await createTestEnvironment({
    ALFRED_MODEL: 'openai:counting',
    ALFRED_MODELS: '{"openai:counting": {"input": 1, "output": 1, "contextTokens": 200000}}',
    OPENAI_BASE_URL: provider.url,
  });
  adapters = createAdapters(env);
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
  await provider?.close();
});

const rows = async <T extends object>(text: string) => (await env.postgres.pool.query<T>(text)).rows;

test(`${kills} kills at random moments over ${tasks} tasks: nothing is charged twice, no event is missing, all end`, async () => {
  const random = numbers(seed);
  const begun = performance.now();
  const alive = new Set<ReturnType<typeof startRole>>();
  const start = () => {
    const worker = startRole('workers/main.ts', ['--queue', agentQueue('knowledge')], env.config);
    alive.add(worker);
    return worker;
  };
  try {
    for (let i = 0; i < workersAtOnce; i++) start();
    const ids = await Promise.all(Array.from({ length: tasks }, (_, i) => begin(`task ${i}`)));
    for (let killed = 0; killed < kills; killed++) {
      const [oldest] = alive;
      if (!oldest) throw new Error('no worker is alive');
      await oldest.ready;
      // Half of them as soon as an answer has been stored: before the activity that stored it could tell.
      if (killed % 2 === 0) await stored();
      else await sleep(random() * 1_200);
      alive.delete(oldest);
      await oldest.end('SIGKILL');
      start();
    }
    provider.enough();
    const histories = await Promise.all(ids.map((id) => eventsOf(id)));
    console.log(
      `kill loop: ${kills} kills, seed ${seed}: ${provider.served.length} requests, ${((performance.now() - begun) / 1_000).toFixed(0)} s`,
    );

    for (const [i, events] of histories.entries()) checkEvents(events, `task ${i}`);
    await checkLedger();
  } finally {
    await Promise.all([...alive].map((worker) => worker.end('SIGKILL')));
  }
}, 300_000);

async function begin(text: string): Promise<string> {
  const task = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text } }, {});
  await env.client.workflow.start('agentTaskWorkflow', {
    workflowId: taskWorkflowId(task.id),
    taskQueue: agentQueue('knowledge'),
    args: [{ taskId: task.id, agent: 'knowledge', head: task.head, ...scope }],
    workflowTaskTimeout: '5 s',
  });
  return task.id;
}

/** Resolves when one more answer has been stored, or after a while when none is. */
async function stored() {
  const count = async () =>
    (await rows<{ n: number }>(`select count(*)::int as n from model_calls where outcome = 'completed'`))[0]?.n;
  const before = await count();
  for (let looks = 0; looks < 400 && (await count()) === before; looks++) await sleep(5);
}

async function eventsOf(id: string): Promise<TaskEvent[]> {
  const all: TaskEvent[] = [];
  for await (const page of adapters.events.follow(scope, id, 0, AbortSignal.timeout(120_000))) all.push(...page);
  return all;
}

/** Numbered without a gap, one end, each step completed once, by the attempt whose text was streamed whole. */
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
  const tools = events.flatMap((event) =>
    event.type === 'tool.completed' ? [`${event.data.step} ${event.data.callId}`] : [],
  );
  expect(tools).toEqual([...new Set(tools)]);
}

async function checkLedger() {
  expect(await rows(`select from model_calls where outcome = 'open'`)).toEqual([]);
  const twice = `select task_id from model_calls where outcome = 'completed' group by task_id, step having count(*) > 1`;
  expect(await rows(twice)).toEqual([]);

  // What was stored is returned: no attempt begins once its step is paid.
  const paidBefore = await rows(
    `select later.task_id from model_calls later join model_calls paid using (task_id, step, purpose)
     where paid.outcome = 'completed' and later.created_at > paid.ended_at`,
  );
  expect(paidBefore).toEqual([]);

  // Every response that counts was delivered whole, once, and none of them is in the books twice.
  const charged = await rows<{ serial: number; outcome: string }>(
    `select input_tokens::int as serial, outcome from model_calls where outcome in ('completed', 'wasted')`,
  );
  const serials = charged.map(({ serial }) => serial);
  expect(serials).toEqual([...new Set(serials)]);
  expect(serials.filter((serial) => !provider.served[serial - firstSerial]?.whole)).toEqual([]);
  // Nothing was asked that is not in the books.
  const [{ attempts } = { attempts: 0 }] = await rows<{ attempts: number }>(
    'select count(*)::int as attempts from model_calls',
  );
  expect(provider.served.length).toBeLessThanOrEqual(attempts);

  const wrongSums = await rows(
    `select t.id, t.cost_usd, sum(c.cost_usd) from tasks t join model_calls c on c.task_id = t.id
     group by t.id having t.cost_usd <> sum(c.cost_usd) or t.model_calls <> count(*) filter (where c.input_tokens + c.output_tokens > 0)
       or t.input_tokens <> sum(c.input_tokens) or t.output_tokens <> sum(c.output_tokens)`,
  );
  expect(wrongSums).toEqual([]);
  const receipts = await rows('select from tool_calls where result_hash is null');
  expect(receipts).toEqual([]);
}

/** Mulberry32: numbers from 0 to 1 that a seed repeats. */
function numbers(from: number) {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
