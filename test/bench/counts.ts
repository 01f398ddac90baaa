import proto from '@temporalio/proto';
import pg from 'pg';
import { taskWorkflowId } from '../../contract/ids.ts';
import { formatThousands, sum } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { startStack } from './stack.ts';
import { addDocument, runBareWorkflows, runTasks, startBareWorker } from './tasks.ts';
import { fetchHistories } from './workflow-histories.ts';

/**
 * Counts what one task costs, of what does not depend on the machine and its load: statements and transactions, rows
 * and bytes that Postgres writes, events and bytes of the workflow's history.
 */
export async function measureCounts({ count, ...surroundings }: Surroundings & { count: number }) {
  const { url, edge } = await startStack(surroundings, { ALFRED_MODEL: 'offline:quote' });
  await startBareWorker(edge, surroundings.cleanups);
  await addDocument(url);
  await runTasks(url, 20, 5);

  const statements = countStatements();
  const before = await readTotals(edge.postgres.pool);
  const { results } = await runTasks(url, count, 1);
  const sent = statements.stop();
  const after = await readTotals(edge.postgres.pool);

  console.log(`\n${count} tasks, one at a time; for each task:`);
  console.log(`  statements ${(sum([...sent.values()]) / count).toFixed(2)}`);
  for (const [name, value] of Object.entries(after))
    console.log(`  ${name} ${formatCount((value - (before[name] ?? 0)) / count)}`);
  await printHistory(edge, 'Alfred', taskWorkflowId(results[0]?.id ?? ''));
  const bare = await runBareWorkflows(edge, 1, 1);
  await printHistory(edge, 'bare workflow', bare.results[0]?.workflowId ?? '');

  console.log('\nstatements for each task');
  for (const [text, times] of [...sent].sort(([, a], [, b]) => b - a))
    if (times / count >= 0.05) console.log(`  ${(times / count).toFixed(2).padStart(6)}  ${text.slice(0, 170)}`);
}

/** Counts the statements that this process sends from now on, by their text. */
function countStatements() {
  const counts = new Map<string, number>();
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const { query } = prototype;
  prototype.query = function (this: unknown, ...args: unknown[]) {
    const [first] = args;
    const text = typeof first === 'string' ? first : (first as { text: string }).text;
    const name = text.replace(/\s+/g, ' ').trim();
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return query.apply(this, args);
  };
  return {
    stop() {
      prototype.query = query;
      return counts;
    },
  };
}

/** What Postgres has done so far. */
async function readTotals(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<Record<string, number>>(`
    select pg_stat_force_next_flush(), xact_commit as transactions, tup_inserted as "rows inserted", tup_updated as "rows updated",
      tup_deleted as "rows deleted", tup_fetched as "rows read by an index",
      (select wal_bytes from pg_stat_wal)::float8 as "bytes of WAL", (select wal_records from pg_stat_wal) as "records of WAL",
      (select sum(fsyncs) from pg_stat_io where object = 'wal')::float8 as "fsyncs of WAL"
    from pg_stat_database where datname = current_database()`);
  const { pg_stat_force_next_flush: _, ...totals } = rows[0] ?? {};
  return totals;
}

async function printHistory(edge: Parameters<typeof fetchHistories>[0], name: string, workflowId: string) {
  const [run] = await fetchHistories(edge, workflowId);
  const { EVENT_TYPE_WORKFLOW_TASK_COMPLETED, EVENT_TYPE_ACTIVITY_TASK_COMPLETED } =
    proto.temporal.api.enums.v1.EventType;
  const count = (type: number) => run?.history.events?.filter(({ eventType }) => Number(eventType) === type).length;
  console.log(
    `  history of ${name}: ${run?.events} events, ${formatThousands(run?.bytes ?? 0)} bytes, ${count(EVENT_TYPE_WORKFLOW_TASK_COMPLETED)} workflow tasks, ${count(EVENT_TYPE_ACTIVITY_TASK_COMPLETED)} activities`,
  );
}

const formatCount = (value: number) => (value >= 1_000 ? formatThousands(value) : value.toFixed(2));
