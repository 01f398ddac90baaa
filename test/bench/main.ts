import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { percentile } from '../../cli/eval/measures.ts';
import { createLogger } from '../../runtime/logger.ts';
import { bareActivities } from './bare-activities.ts';
import { longConversation } from './long-conversation.ts';
import { manyConversations } from './many-conversations.ts';
import { cpuSeconds, run } from './measure.ts';
import { searchLoad } from './search-load.ts';
import type { Stops } from './servers.ts';
import { startStack } from './stack.ts';
import { streams } from './streams.ts';
import { thousandCalls } from './thousand-calls.ts';

const { values } = parseArgs({
  options: {
    sequential: { type: 'string', default: '100' },
    tasks: { type: 'string', default: '500' },
    concurrency: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
    streams: { type: 'string' },
    thousand: { type: 'boolean', default: false },
    calls: { type: 'string', default: '1000' },
    conversation: { type: 'string' },
    conversations: { type: 'string' },
    search: { type: 'string' },
  },
});
const sequential = Number(values.sequential);
const tasks = Number(values.tasks);
const concurrency = Number(values.concurrency);

const dir = await mkdtemp(join(tmpdir(), 'alfred-bench-'));
const log = createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'pretty' }, 'bench');
const stops: Stops = [() => rm(dir, { recursive: true, force: true })];
try {
  if (values.streams) await streams({ count: Number(values.streams), dir, log, stops });
  else if (values.thousand) await thousandCalls({ calls: Number(values.calls), dir, log, stops });
  else if (values.conversation) await longConversation({ messages: Number(values.conversation), dir, log, stops });
  else if (values.conversations)
    await manyConversations({ count: Number(values.conversations), lanes: concurrency, dir, log, stops });
  else if (values.search) await searchLoad({ count: Number(values.search), dir, log, stops });
  else await bench();
} finally {
  for (const stop of stops.reverse()) await stop();
}
process.exit(0);

async function bench() {
  const { url, edge, pids } = await startStack({ dir, log, stops }, { ALFRED_MODEL: 'offline:quote' });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./bare-workflow.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  const bare = await Worker.create({
    connection: edge.connection,
    taskQueue: 'bare',
    workflowBundle,
    activities: bareActivities,
  });
  const bareRun = bare.run();
  stops.push(async () => {
    bare.shutdown();
    await bareRun;
  });

  const added = await fetch(`${url}/v1/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'expenses.md',
      text: '# Expenses\n\n## Deadlines\n\nFile an expense report within 30 days of the expense.\n',
    }),
  });
  if (added.status !== 202) throw new Error(`adding the document: ${added.status} ${await added.text()}`);

  const withAlfred = (count: number, lanes: number) => measured(pids, () => load(url, count, lanes));
  const withBare = (count: number, lanes: number) =>
    measured(pids, () =>
      run(count, lanes, async (i) => {
        const begun = performance.now();
        const taskId = `bare-${crypto.randomUUID()}-${i}`;
        await edge.client.workflow.execute('bareWorkflow', {
          workflowId: taskId,
          taskQueue: 'bare',
          args: [{ taskId }],
          requestEagerStart: true,
        });
        return { doneMs: performance.now() - begun };
      }),
    );

  await withAlfred(50, 10);
  await withBare(50, 10);

  console.log(
    `\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; offline provider at zero delay; a task is 2 model calls and 1 tool call`,
  );
  console.log(`\nlatency at concurrency 1, ${sequential} tasks, ms`);
  const alone = await withAlfred(sequential, 1);
  // The first thing workflow code does is a row: its time bounds that of the code from above.
  const started = await edge.postgres.pool.query<{ id: string; ms: string }>(
    'select id, extract(epoch from started_at) * 1000 as ms from tasks',
  );
  const startedMs = new Map(started.rows.map(({ id, ms }) => [id, Number(ms)]));
  const firstCode = alone.results.map(({ id, sentAt }) => (startedMs.get(id) ?? Number.NaN) - sentAt);
  row(
    'POST to 202',
    alone.results.map(({ acceptedMs }) => acceptedMs),
  );
  row('POST to first workflow code', firstCode);
  row(
    'POST to result',
    alone.results.map(({ doneMs }) => doneMs),
  );
  row(
    'bare workflow, start to result',
    (await withBare(sequential, 1)).results.map(({ doneMs }) => doneMs),
  );

  console.log(`\n${tasks} tasks at concurrency ${concurrency}, ${values.rounds} rounds`);
  const ratios: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const ours = await withAlfred(tasks, concurrency);
    const theirs = await withBare(tasks, concurrency);
    const failed = ours.results.filter(({ status }) => status !== 'completed').length;
    ratios.push(ours.cpu / theirs.cpu);
    console.log(`  Alfred ${line(ours)}${failed ? `, ${failed} NOT COMPLETED` : ''}`);
    console.log(`  bare   ${line(theirs)}`);
    console.log(
      `  ratio  ${(ours.cpu / theirs.cpu).toFixed(2)} × the CPU a task, ${(theirs.seconds / ours.seconds).toFixed(2)} × the throughput`,
    );
  }
  console.log(`  median ratio of CPU a task: ${percentile(ratios, 0.5).toFixed(2)}`);
}

async function measured<T>(processes: Record<string, number>, work: () => Promise<{ results: T[]; seconds: number }>) {
  const before = await cpuSeconds(processes);
  const { results, seconds } = await work();
  const after = await cpuSeconds(processes);
  const parts = Object.entries(after).map(
    ([name, used]) => [name, (used - (before[name] ?? 0)) / results.length] as const,
  );
  return { results, seconds, cpu: parts.reduce((sum, [, used]) => sum + used, 0), parts };
}

function line({
  results,
  seconds,
  cpu,
  parts,
}: {
  results: unknown[];
  seconds: number;
  cpu: number;
  parts: (readonly [string, number])[];
}) {
  const share = parts.map(([name, used]) => `${name} ${(used * 1_000).toFixed(1)}`).join(', ');
  return `${(results.length / seconds).toFixed(1)} tasks/s, ${(cpu * 1_000).toFixed(1)} ms CPU a task (${share})`;
}

function row(name: string, values: number[]) {
  console.log(
    `  ${name.padEnd(32)} p50 ${percentile(values, 0.5).toFixed(1).padStart(7)}   p95 ${percentile(values, 0.95).toFixed(1).padStart(7)}`,
  );
}

type Loaded = { id: string; status: string; sentAt: number; acceptedMs: number; doneMs: number };

async function load(api: string, count: number, lanes: number) {
  const script = fileURLToPath(new URL('./task-load.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, api, String(count), String(lanes)], {
    maxBuffer: 1 << 28,
  });
  return JSON.parse(stdout) as { results: Loaded[]; seconds: number };
}
