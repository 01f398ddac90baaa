import { sql } from 'kysely';
import type { PartitionChange, Partitions } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { comparePartitions, parsePartition, type Partition } from './months.ts';

const table = 'task_events';
const defaultPartition = `${table}_default`;

/** How long a change waits for its locks. Others wait behind it, so it is short; the next sweep tries again. */
const lockTimeoutMs = 200;
/** How long a statement may take. Attaching a partition reads the default one, and no task is written meanwhile. */
const statementTimeoutMs = 1_000;
/** A larger default partition is not read for a new one: each round would stop all who write tasks. */
const largestDefaultBytes = 64 * 1024 * 1024;

/** The partitions of `task_events`: docs/adr/0030-events-have-a-partition-a-month.md. */
export const createPartitions = (db: Database, largestDefault = largestDefaultBytes): Partitions => ({
  async align(signal) {
    const found = await listPartitions(db);
    if (!found) return [];
    const { missing, past } = comparePartitions(table, found.partitions, found.now);
    const changes: PartitionChange[] = [];
    const apply = async (partition: string, change: () => Promise<PartitionChange['change'] | undefined>) => {
      signal.throwIfAborted();
      const result = await change();
      if (result) changes.push({ partition, change: result });
    };
    for (const month of missing) await apply(month.name, () => makePartition(db, month, largestDefault));
    for (const name of await listEmpty(db, past)) await apply(name, () => dropPartition(db, name));
    return changes;
  },
});

/** The partitions with bounds, and the time of Postgres in milliseconds. Undefined: the table has none. */
async function listPartitions(db: Database): Promise<{ partitions: Partition[]; now: number } | undefined> {
  const { rows } = await sql<{ name: string; bounds: string; now: number }>`
    select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds, extract(epoch from now()) * 1000 as now
    from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = ${table}::regclass`.execute(db);
  const now = rows[0]?.now;
  if (now === undefined) return undefined;
  return { partitions: rows.flatMap(({ name, bounds }) => parsePartition(name, bounds) ?? []), now };
}

/** Names those that have no rows now. By the index: a table whose rows were deleted is read slowly from its begin. */
async function listEmpty(db: Database, partitions: Partition[]): Promise<string[]> {
  if (partitions.length === 0) return [];
  const names = partitions.map(({ name }) => sql`select ${sql.lit(name)} as name where not exists (${firstRow(name)})`);
  const { rows } = await sql<{ name: string }>`${sql.join(names, sql` union all `)}`.execute(db);
  return rows.map(({ name }) => name);
}

const firstRow = (name: string) => sql`(select from ${sql.table(name)} order by task_id limit 1)`;

async function makePartition(
  db: Database,
  { name, from, to }: Partition & { from: string; to: string },
  largestDefault: number,
) {
  // Asked without a lock; Postgres checks it again.
  const { rows } = await sql`
    select from ${sql.table(defaultPartition)} where task_id >= ${from}::uuid and task_id < ${to}::uuid limit 1`.execute(
    db,
  );
  if (rows.length > 0) return 'occupied';
  const { rows: large } = await sql`
    select where pg_relation_size(${defaultPartition}::regclass) > ${largestDefault}::bigint`.execute(db);
  if (large.length > 0) return 'too_large';
  return withLocks(db, async (trx) => {
    // In the order in which all transactions take these locks. Another process that makes the partition waits here.
    await sql`lock table tasks in share row exclusive mode`.execute(trx);
    if (await exists(trx, name)) return undefined;
    // Attached and not created as a partition, which would lock out all readers of the whole table.
    await sql`create table ${sql.table(name)} (like ${sql.table(table)} including all)`.execute(trx);
    await sql`alter table ${sql.table(table)} attach partition ${sql.table(name)}
      for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(trx);
    return 'made';
  });
}

const dropPartition = (db: Database, name: string) =>
  withLocks(db, async (trx) => {
    // All who write to a partition have a lock on the whole table, so no row can come from here on.
    await sql`lock table only ${sql.table(table)} in access exclusive mode`.execute(trx);
    if (!(await exists(trx, name))) return undefined;
    const { rows } = await firstRow(name).execute(trx);
    if (rows.length > 0) return undefined;
    await sql`drop table ${sql.table(name)}`.execute(trx);
    return 'dropped';
  });

async function exists(trx: Database, name: string): Promise<boolean> {
  const { rows } = await sql`select where to_regclass(${name}) is not null`.execute(trx);
  return rows.length > 0;
}

/** Runs a change in a transaction of its own that gives up when a lock is not free. */
async function withLocks(
  db: Database,
  change: (trx: Database) => Promise<'made' | 'dropped' | undefined>,
): Promise<PartitionChange['change'] | undefined> {
  try {
    return await db.transaction().execute(async (trx) => {
      await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true),
        set_config('statement_timeout', ${String(statementTimeoutMs)}, true)`.execute(trx);
      return change(trx);
    });
  } catch (error) {
    const result = failures[String((error as { code?: unknown }).code)];
    if (result) return result;
    throw error;
  }
}

/** By SQLSTATE: a lock was not free in time, a statement took too long, the default partition has rows of the month. */
const failures: Record<string, PartitionChange['change']> = {
  '55P03': 'put_off',
  '57014': 'put_off',
  '23514': 'occupied',
};
