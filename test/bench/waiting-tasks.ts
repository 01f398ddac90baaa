import { systemQueue, taskWorkflowId } from '../../contract/ids.ts';
import { startWorkers } from '../../workers/compose.ts';
import type { sweepTasksWorkflow } from '../../workflows/sweep/workflow.ts';
import { until } from '../support/until.ts';
import { formatThousands, runConcurrently } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { openStack } from './stack.ts';

const scope = { tenant: 'local', subject: 'local' };
/** No worker polls it: the workflows stay as they are. */
const idleQueue = 'idle';

/** Measures one whole round of the sweep while many tasks wait: how long it takes, and what it asks of Temporal. */
export async function measureWaitingTasks({ count, ...surroundings }: { count: number } & Surroundings) {
  const { edge, adapters } = await openStack(surroundings, {});
  const requests = countRequests(edge.connection.workflowService);
  const workers = await startWorkers(edge, adapters, [systemQueue]);
  surroundings.cleanups.push(() => workers.stop());
  const { client, postgres } = edge;
  await runConcurrently(count, 32, async (i) => {
    const { id } = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: `Question ${i}?` } }, {});
    await client.workflow.start('agentTaskWorkflow', { workflowId: taskWorkflowId(id), taskQueue: idleQueue });
  });
  const waiting = JSON.stringify({ reason: 'approval', approvals: [] });
  await postgres.pool.query(
    `update tasks set status = 'waiting', waiting = $1, updated_at = now() - interval '1 day', started_at = now()`,
    [waiting],
  );
  await postgres.pool.query('vacuum analyze');
  const query = `WorkflowType = 'agentTaskWorkflow' AND ExecutionStatus = 'Running'`;
  await until('Temporal lists all of them', async () => (await client.workflow.count(query)).count === count);

  requests.clear();
  const startedAtMs = performance.now();
  const corrected = await client.workflow.execute<typeof sweepTasksWorkflow>('sweepTasksWorkflow', {
    workflowId: 'measured-sweep',
    taskQueue: systemQueue,
    args: [{}],
  });
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const asked = [...requests].map(([name, n]) => `${n} ${name}`).join(', ');
  const perSecond = [...requests.values()].reduce((sum, n) => sum + n, 0) / seconds;
  console.log(`\n${formatThousands(count)} waiting tasks: one round of the sweep in ${seconds.toFixed(1)} s`);
  console.log(`requests to Temporal: ${perSecond.toFixed(1)} a second (${asked}); rows corrected: ${corrected}`);
}

/** Counts the requests of a connection by their names. */
function countRequests(service: object): Map<string, number> {
  const counts = new Map<string, number>();
  const methods = service as Record<string, (...args: unknown[]) => unknown>;
  for (const name of [
    'listWorkflowExecutions',
    'describeWorkflowExecution',
    'describeNamespace',
    'describeTaskQueue',
    'describeSchedule',
    'listSchedules',
    'countWorkflowExecutions',
    'signalWorkflowExecution',
  ]) {
    const send = methods[name]?.bind(service);
    if (!send) throw new Error(`the connection has no ${name}`);
    methods[name] = (...args) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return send(...args);
    };
  }
  return counts;
}
