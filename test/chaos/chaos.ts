import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Task } from '../../contract/task.ts';
import { isEnded } from '../../contract/task-status.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { seededRandom } from '../../cli/eval/seeded-random.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { alfred } from '../cli/run-alfred.ts';
import { startBookingServer } from '../support/bookings/booking-server.ts';
import { createKillableProcesses, pick } from '../support/processes/killable-processes.ts';
import { startCountingProvider } from '../support/providers/counting-provider.ts';
import { until } from '../support/until.ts';
import { checkChaos, type Finding } from './chaos-checks.ts';
import { createClients } from './chaos-clients.ts';
import { startChaosPostgres, startChaosTemporal } from './chaos-servers.ts';

export type ChaosOptions = {
  tasks: number;
  workers: number;
  apis: number;
  /** Kills of workers and API processes, at random moments between and during the faults. */
  kills: number;
  seed: number;
  /** The length of the pauses: 1 is 20 s of Postgres, 30 s of Temporal, 10 s read-only. */
  scale: number;
  dir: string;
  log: Logger;
  /** Called last first at the end, also after a failure. */
  cleanups: (() => Promise<unknown>)[];
  say: (line: string) => void;
};

/** A task books three times, the second time with an approval, and answers. */
const bookings = 3;
const steps = bookings + 1;
const callsAt = (step: number) =>
  step > bookings ? [] : [{ name: 'book', arguments: { what: `room ${step}`, isDear: step === 2 } }];
const agentSettings = {
  knowledge: { approvals: [{ tool: 'book', when: [{ argument: 'isDear', equals: true }] }] },
};

/**
 * Runs tasks with tools, effects and approvals on a stack of many processes, disturbs Postgres and Temporal in every
 * way and kills processes meanwhile, and compares what the outside saw with the ledger.
 *
 * @throws when a task has not ended ten minutes after the last fault, with its row
 */
export async function runChaos(options: ChaosOptions): Promise<Finding[]> {
  const { tasks: count, kills, scale, say, cleanups } = options;
  const random = seededRandom(options.seed);
  const stack = await startChaosStack(options);
  const { workers, apis, clients } = stack;
  await Promise.all([workers.someReady(), apis.someReady()]);
  void clients.approveEverything();

  const texts = new Map<string, string>();
  const { faults, isOver } = disturb(stack, { scale, say });
  const asking = Array.from({ length: count }, async (_, i) => {
    // Tasks begin during the whole disturbance, so that some are in each of its steps at each fault.
    await until(`it is time for task ${i}`, () => faults.passed() >= (i / count) * faults.total || isOver(), {
      withinMs: 1_800_000,
      everyMs: 200,
    });
    const text = `task-${i}`;
    texts.set(await clients.ask(text), text);
  });
  const killing = (async () => {
    while (workers.killed() + apis.killed() < kills) {
      await sleep(random() * 4_000 * scale);
      const [processes, name] = random() < 0.8 ? [workers, 'a worker'] : [apis, 'an API process'];
      const ready = processes.ready();
      if (ready.length > 0 && processes.kill(pick(random, ready))) say(`killed ${name}`);
    }
  })();
  await Promise.all([faults.done, ...asking, killing]);
  say(`all faults are over, ${count} tasks were started`);

  const ended = new Map<string, Task | undefined>();
  cleanups.push(() => Promise.resolve(clients.stop()));
  await until(
    'every task has ended',
    async () => {
      for (const id of texts.keys()) {
        const known = ended.get(id);
        if (!known || !isEnded(known.status)) ended.set(id, await clients.read(id));
      }
      const open = [...ended].filter(([, task]) => !task || !isEnded(task.status));
      return open.length === 0
        ? true
        : open.map(([id, task]) => ({ id, status: task?.status, waiting: task?.waiting }));
    },
    { accept: (open) => open === true, withinMs: 600_000, everyMs: 1_000 },
  );
  clients.stop();
  for (const [how, n] of Map.groupBy(ended.values(), describeEnd)) say(`${n.length} tasks ${how}`);
  say(`answers of the API with a status from 500, by code: ${JSON.stringify(clients.serverErrors())}`);
  const { responses } = stack.provider;
  return checkChaos(stack.pool, {
    tasks: ended,
    texts,
    responses,
    bookings: stack.bookingServer.posts,
    steps,
    bookingsOfTask: bookings,
  });
}

const describeEnd = (task: Task | undefined) =>
  `${task?.status}${task?.error ? `: ${task.error.code}, ${task.error.message}` : ''}`;

type ChaosStack = Awaited<ReturnType<typeof startChaosStack>>;

async function startChaosStack({ dir, log, cleanups, say, ...counts }: ChaosOptions) {
  const [postgres, temporal] = await Promise.all([startChaosPostgres({ dir, log }), startChaosTemporal({ dir, log })]);
  cleanups.push(
    () => temporal.stop(),
    () => postgres.stop(),
  );
  const provider = await startCountingProvider({ pieceMs: 100, callsAt });
  cleanups.push(() => provider.close());
  const bookingServer = await startBookingServer();
  cleanups.push(() => new Promise((resolve) => bookingServer.server.close(resolve).closeAllConnections()));
  const dataDir = join(dir, 'data');
  await mkdir(dataDir);
  const environment = {
    DATABASE_URL: postgres.appUrl,
    DATABASE_PASSWORD_FILE: postgres.passwordFile,
    TEMPORAL_ADDRESS: temporal.address,
    ALFRED_DATA_DIR: dataDir,
    ALFRED_API_PORT: '0',
    ALFRED_HEALTH_PORT: '0',
    ALFRED_SWEEP_INTERVAL_S: '5',
    ALFRED_MODEL: 'openai:counting',
    ALFRED_MODELS: '{"openai:counting": {"input": 1, "output": 1, "contextTokens": 200000}}',
    OPENAI_BASE_URL: provider.url,
    ALFRED_AGENTS: JSON.stringify(agentSettings),
  };
  // Built once, so that a killed worker is replaced in a second or two.
  await workflowBundle(loadConfig(environment), log);
  await setUp([], environment);
  const config = loadConfig(environment);
  let ends = 0;
  const processLog = createWriteStream(join(dir, 'processes.log'));
  cleanups.push(() => new Promise<void>((resolve) => processLog.end(resolve)));
  const watch = {
    urlFor: () => postgres.appUrl,
    onLine: (line: string) => processLog.write(`${line}\n`),
    onEnd: (message: string) => {
      ends++;
      log.warn(message);
    },
  };
  const workers = createKillableProcesses(
    ['test/support/bookings/booking-worker.ts', bookingServer.url],
    config,
    watch,
  );
  const apis = createKillableProcesses(['api/main.ts'], config, watch);
  cleanups.push(
    () => workers.end(),
    () => apis.end(),
  );
  for (let i = 0; i < counts.workers; i++) workers.start();
  for (let i = 0; i < counts.apis; i++) apis.start();
  const pool = new pg.Pool({ connectionString: postgres.ownerUrl, max: 2 });
  pool.on('error', () => undefined);
  cleanups.push(() => pool.end());
  const clients = createClients(() => apis.entries().map(({ url }) => String(url)));
  return {
    postgres,
    temporal,
    provider,
    bookingServer,
    workers,
    apis,
    pool,
    clients,
    /** As an operator does after Temporal has lost its database. */
    adoptTemporal: () => setUp(['--temporal-moved'], environment),
    endedByThemselves: () => ends,
    say,
  };
}

async function setUp(options: string[], environment: Record<string, string>) {
  const result = await alfred(['setup', ...options], environment);
  if (result.code !== 0) throw new Error(`alfred setup ended with ${result.code}: ${result.stderr}`);
}

/** Starts the faults, one after the other with time between them to recover. */
function disturb(
  { postgres, temporal, adoptTemporal, endedByThemselves }: ChaosStack,
  { scale, say }: Pick<ChaosOptions, 'scale' | 'say'>,
) {
  const s = (seconds: number) => seconds * 1_000 * scale;
  const faults: [string, () => Promise<unknown>][] = [
    [`Postgres is paused for ${20 * scale} s`, () => postgres.pause(s(20))],
    ['Temporal is killed', () => temporal.kill()],
    ['Postgres is restarted', () => postgres.restart()],
    [`Temporal is paused for ${30 * scale} s`, () => temporal.pause(s(30))],
    [`Postgres is read-only for ${10 * scale} s`, () => postgres.readOnly(s(10))],
    ['Temporal is restarted', () => temporal.restart()],
    ['the password of the database is rotated', () => postgres.rotatePassword(s(5))],
    [
      'the database of Temporal is deleted',
      async () => {
        await temporal.lose();
        await adoptTemporal();
      },
    ],
  ];
  let passed = 0;
  let over = false;
  const done = (async () => {
    await sleep(s(10));
    for (const [name, cause] of faults) {
      say(name);
      await cause();
      passed++;
      await sleep(s(15));
    }
    say(`processes that ended by themselves: ${endedByThemselves()}`);
  })().finally(() => {
    over = true;
  });
  return { faults: { done, passed: () => passed, total: faults.length }, isOver: () => over };
}
