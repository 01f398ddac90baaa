import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { percentile } from '../../cli/eval/measures.ts';
import type { Edge } from '../../runtime/edge.ts';
import { bareActivities } from './bare-activities.ts';
import { cpuSeconds, runConcurrently } from './measure.ts';
import type { Cleanups, Surroundings } from './servers.ts';
import { startStack } from './stack.ts';

type Options = Surroundings & {
  /** Tasks of the latency measurement, one at a time. */
  sequential: number;
  /** Tasks of each round of the throughput measurement. */
  tasks: number;
  concurrency: number;
  rounds: number;
};

/** Measures latency, throughput and CPU time of tasks, and of a bare workflow with the same activities. */
export async function measureTasks({ sequential, tasks, concurrency, rounds, dir, log, cleanups }: Options) {
  const { url, edge, pids } = await startStack({ dir, log, cleanups }, { ALFRED_MODEL: 'offline:quote' });
  await startBareWorker(edge, cleanups);
  await addDocument(url);
  const runAlfred = (count: number, atOnce: number) => withCpu(pids, () => runTasks(url, count, atOnce));
  const runBare = (count: number, atOnce: number) => withCpu(pids, () => runBareWorkflows(edge, count, atOnce));

  // A warm-up, which is not measured.
  await runAlfred(50, 10);
  await runBare(50, 10);

  console.log(
    `\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; offline provider at zero delay; a task is 2 model calls and 1 tool call`,
  );
  console.log(`\nlatency at concurrency 1, ${sequential} tasks, ms`);
  const alfred = await runAlfred(sequential, 1);
  const bare = await runBare(sequential, 1);
  const latencies: [string, number[]][] = [
    ['POST to 202', alfred.results.map(({ acceptedMs }) => acceptedMs)],
    ['POST to first workflow code', await firstCodeMs(edge, alfred.results)],
    ['POST to result', alfred.results.map(({ doneMs }) => doneMs)],
    ['bare workflow, start to result', bare.results.map(({ doneMs }) => doneMs)],
  ];
  for (const [name, values] of latencies) printLatency(name, values);

  console.log(`\n${tasks} tasks at concurrency ${concurrency}, ${rounds} rounds`);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const ofAlfred = await runAlfred(tasks, concurrency);
    const ofBare = await runBare(tasks, concurrency);
    const failed = ofAlfred.results.filter(({ status }) => status !== 'completed').length;
    ratios.push(ofAlfred.cpu / ofBare.cpu);
    console.log(`  Alfred ${formatRound(ofAlfred)}${failed ? `, ${failed} NOT COMPLETED` : ''}`);
    console.log(`  bare   ${formatRound(ofBare)}`);
    console.log(
      `  ratio  ${(ofAlfred.cpu / ofBare.cpu).toFixed(2)} × the CPU a task, ${(ofBare.seconds / ofAlfred.seconds).toFixed(2)} × the throughput`,
    );
  }
  console.log(`  median ratio of CPU a task: ${percentile(ratios, 0.5).toFixed(2)}`);
}

export async function startBareWorker({ connection }: Edge, cleanups: Cleanups) {
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./bare-workflow.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  const worker = await Worker.create({ connection, taskQueue: 'bare', workflowBundle, activities: bareActivities });
  const running = worker.run();
  cleanups.push(async () => {
    worker.shutdown();
    await running;
  });
}

export async function addDocument(url: string) {
  const added = await fetch(`${url}/v1/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'expenses.md',
      text: '# Expenses\n\n## Deadlines\n\nFile an expense report within 30 days of the expense.\n',
    }),
  });
  if (added.status !== 202) throw new Error(`adding the document: ${added.status} ${await added.text()}`);
}

type MeasuredTask = { id: string; status: string; sentAt: number; acceptedMs: number; doneMs: number };

/** Runs tasks from another process, task-load.ts. */
export async function runTasks(url: string, count: number, concurrency: number) {
  const script = fileURLToPath(new URL('./task-load.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, url, String(count), String(concurrency)], {
    maxBuffer: 1 << 28,
  });
  return JSON.parse(stdout) as { results: MeasuredTask[]; seconds: number };
}

export const runBareWorkflows = ({ client }: Edge, count: number, concurrency: number) =>
  runConcurrently(count, concurrency, async (i) => {
    const startedAtMs = performance.now();
    const taskId = `bare-${crypto.randomUUID()}-${i}`;
    await client.workflow.execute('bareWorkflow', {
      workflowId: taskId,
      taskQueue: 'bare',
      args: [{ taskId }],
      requestEagerStart: true,
    });
    return { workflowId: taskId, doneMs: performance.now() - startedAtMs };
  });

/** From `POST` to the time of the row that the workflow writes first: an upper bound of when its code started. */
async function firstCodeMs({ postgres }: Edge, tasks: MeasuredTask[]): Promise<number[]> {
  const { rows } = await postgres.pool.query<{ id: string; ms: string }>(
    'select id, extract(epoch from started_at) * 1000 as ms from tasks',
  );
  const startedMs = new Map(rows.map(({ id, ms }) => [id, Number(ms)]));
  return tasks.map(({ id, sentAt }) => (startedMs.get(id) ?? Number.NaN) - sentAt);
}

type Round = { results: unknown[]; seconds: number; cpu: number; parts: (readonly [string, number])[] };

/** Adds the CPU seconds for each result: `cpu` of all processes together, `parts` by process. */
async function withCpu<T>(pids: Record<string, number>, work: () => Promise<{ results: T[]; seconds: number }>) {
  const before = await cpuSeconds(pids);
  const { results, seconds } = await work();
  const after = await cpuSeconds(pids);
  const parts = Object.entries(after).map(
    ([name, used]) => [name, (used - (before[name] ?? 0)) / results.length] as const,
  );
  return { results, seconds, cpu: parts.reduce((sum, [, used]) => sum + used, 0), parts };
}

function formatRound({ results, seconds, cpu, parts }: Round) {
  const shares = parts.map(([name, used]) => `${name} ${(used * 1_000).toFixed(1)}`).join(', ');
  return `${(results.length / seconds).toFixed(1)} tasks/s, ${(cpu * 1_000).toFixed(1)} ms CPU a task (${shares})`;
}

function printLatency(name: string, values: number[]) {
  console.log(
    `  ${name.padEnd(32)} p50 ${percentile(values, 0.5).toFixed(1).padStart(7)}   p95 ${percentile(values, 0.95).toFixed(1).padStart(7)}`,
  );
}
