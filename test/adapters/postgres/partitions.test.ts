import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sweepPartitions } from '../../../activities/sweep/sweep-partitions.ts';
import { comparePartitions, parsePartition } from '../../../adapters/postgres/partitions/months.ts';
import { createPartitions } from '../../../adapters/postgres/partitions/partitions.ts';
import { firstIdAt } from '../../../adapters/postgres/tasks/task-reads.ts';
import type { Partitions } from '../../../contract/ports/index.ts';
import { migrate } from '../../../runtime/database/migrate.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
let partitions: Partitions;
beforeAll(async () => {
  env = await createTestEnvironment();
  partitions = createPartitions(env.postgres.db);
});
afterAll(() => env?.close());

const query = async <Row extends object>(text: string, values?: unknown[]) =>
  (await env.postgres.pool.query<Row>(text, values)).rows;
const idOf = (day: string, n = 1) => firstIdAt(Date.parse(`${day}T12:00:00Z`)).slice(0, -1) + String(n);
/** No UUIDv7: it is in no month. */
const foreignId = 'f47ac10b-58cc-4372-a567-0e02b2c3d479';
const addTask = async (id: string, seqs = [1, 2]) => {
  await query(
    `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head)
       values ($1, 'local', 'local', 'knowledge', 'completed', '', '') on conflict do nothing`,
    [id],
  );
  await query(`insert into task_events (task_id, seq, type, data) select $1, n, 'a', '{}' from unnest($2::int[]) n`, [
    id,
    seqs,
  ]);
};
const partsOf = async (taskId: string) =>
  (
    await query<{ part: string }>('select tableoid::regclass::text as part from task_events where task_id = $1', [
      taskId,
    ])
  ).map(({ part }) => part);
const align = () => partitions.align(new AbortController().signal);
const ofMonth = /^task_events_\d{4}_\d\d$/;
const migrateDown = async () => {
  let undone: string[] = [];
  while (!undone.includes('0024_events-by-month')) undone = await migrate(env.config.DATABASE_URL, env.log, 'down');
};
const january = firstIdAt(Date.UTC(2027, 0));

test('each month from this one on is to have a partition, and past ones but the last may be dropped', () => {
  const now = Date.UTC(2026, 10, 28);
  const part = (name: string, from: string | undefined, to: string | undefined) => ({ name, from, to });
  const first = part('e_first', undefined, january);
  expect(comparePartitions('e', [first], now)).toEqual({
    missing: [part('e_2027_01', january, firstIdAt(Date.UTC(2027, 1)))],
    past: [],
  });
  expect(comparePartitions('e', [], now).missing.map(({ name }) => name)).toEqual([
    'e_2026_11',
    'e_2026_12',
    'e_2027_01',
  ]);
  expect(comparePartitions('e', [first], Date.UTC(2027, 0, 31)).past).toEqual([]);
  expect(comparePartitions('e', [first], Date.UTC(2027, 1, 1)).past).toEqual([first]);
});

test('bounds are read as Postgres prints them', () => {
  expect(parsePartition('p', `FOR VALUES FROM (MINVALUE) TO ('${january}')`)).toEqual({
    name: 'p',
    from: undefined,
    to: january,
  });
  expect(parsePartition('p', 'DEFAULT')).toBeUndefined();
});

test('the migration keeps all events both ways, and goes on after an interruption', async () => {
  const { config, log } = env;
  const old = idOf('2024-03-05');
  const later = firstIdAt(Date.now() + 45 * 24 * 60 * 60_000);
  await addTask(old);
  await addTask(foreignId);
  await align();
  await addTask(later);
  expect((await partsOf(later))[0]).toMatch(ofMonth);
  expect([await partsOf(old), await partsOf(foreignId)]).toEqual([
    ['task_events_first', 'task_events_first'],
    ['task_events_default', 'task_events_default'],
  ]);
  await migrateDown();
  for (const id of [old, foreignId, later]) expect(await partsOf(id)).toEqual(['task_events', 'task_events']);
  expect(await query(`select relname from pg_class where relname like 'task_events%' order by 1`)).toEqual([
    { relname: 'task_events' },
    { relname: 'task_events_pkey' },
  ]);
  // An earlier attempt in an earlier month came as far as the constraint.
  await query(`create table task_events_default (like task_events including all);
    alter table task_events add constraint task_events_first check (task_id < '${idOf('2024-01-01')}') not valid;
    with moved as (delete from task_events where task_id = '${old}' and seq = 1 returning *)
      insert into task_events_default select * from moved`);
  await migrate(config.DATABASE_URL, log);
  expect(await partsOf(old)).toEqual(['task_events_first', 'task_events_first']);
  for (const id of [foreignId, later])
    expect(await partsOf(id)).toEqual(['task_events_default', 'task_events_default']);
  expect(
    await query(`select conname, convalidated from pg_constraint
      where conrelid = 'task_events_first'::regclass and contype in ('c', 'f', 'p') order by 1`),
  ).toEqual([
    { conname: 'task_events_first_pkey', convalidated: true },
    { conname: 'task_events_task_id_fkey', convalidated: true },
  ]);
  // An earlier attempt has read all rows, and then got no lock.
  const soon = firstIdAt(Date.now() + 3 * 24 * 60 * 60_000);
  await query('delete from tasks where id = $1', [later]);
  await migrateDown();
  await query(`delete from task_events where task_id = '${foreignId}';
    alter table task_events add constraint task_events_first check (task_id < '${soon}')`);
  await migrate(config.DATABASE_URL, log);
  const [first] = await query<{ bound: string }>(
    `select pg_get_expr(relpartbound, oid) as bound from pg_class where relname = 'task_events_first'`,
  );
  expect(first?.bound).toContain(soon);
  // What statements of before rely on.
  await expect(addTask(old)).rejects.toMatchObject({ code: '23505' });
  await query(
    `insert into task_events (task_id, seq, type, data) values ($1, 1, 'a', '{}') on conflict (task_id, seq) do nothing`,
    [old],
  );
  await query('delete from tasks where id = any($1)', [[old, foreignId, later]]);
  expect(await query('select from task_events')).toEqual([]);
});

test('partitions are made ahead, and past ones are dropped when they are empty', async () => {
  await query('alter table task_events detach partition task_events_first; drop table task_events_first');
  const nextMonth = (await query<{ id: string }>(`select now() + interval '1 month' as id`))[0]?.id ?? '';
  const soon = firstIdAt(new Date(nextMonth).getTime());
  // The sweep has stood still for months: this one has rows already that have no place elsewhere.
  const present = firstIdAt(Date.now());
  await addTask(present);
  const unread = await createPartitions(env.postgres.db, 0).align(new AbortController().signal);
  expect(unread.map(({ change }) => change).toSorted()).toEqual(['occupied', 'too_large', 'too_large']);
  const both = (await Promise.all([align(), align()])).flat().map(({ change }) => change);
  expect(both.filter((change) => change === 'made')).toHaveLength(2);
  expect(both.filter((change) => change === 'occupied')).toHaveLength(2);
  await addTask(soon);
  expect((await partsOf(soon))[0]).toMatch(ofMonth);
  expect(await partsOf(present)).toContain('task_events_default');
  await query('delete from tasks where id = $1', [present]);
  expect(await align()).toEqual([{ partition: expect.stringMatching(ofMonth), change: 'made' }]);
  expect(await align()).toEqual([]);

  for (const [name, from, to] of [
    ['task_events_2024_01', '2024-01-01', '2024-02-01'],
    ['task_events_2024_02', '2024-02-01', '2024-03-01'],
  ])
    await query(
      `create table ${name} partition of task_events for values from ('${idOf(from ?? '')}') to ('${idOf(to ?? '')}')`,
    );
  const old = idOf('2024-01-15');
  await addTask(old);
  expect(await align()).toEqual([{ partition: 'task_events_2024_02', change: 'dropped' }]);
  await query('delete from task_events where task_id = $1', [old]);
  const writer = await env.postgres.pool.connect();
  await writer.query('begin');
  await writer.query(`insert into task_events (task_id, seq, type, data) values ('${old}', 3, 'a', '{}')`);
  expect(await align()).toEqual([{ partition: 'task_events_2024_01', change: 'put_off' }]);
  await writer.query('commit');
  writer.release();
  expect(await align()).toEqual([]);
  await query('delete from task_events where task_id = $1', [old]);
  expect(await align()).toEqual([{ partition: 'task_events_2024_01', change: 'dropped' }]);
  await addTask(old, [4]);
  expect(await partsOf(old)).toEqual(['task_events_default']);
  await migrateDown();
  expect([await partsOf(old), await partsOf(soon)]).toEqual([['task_events'], ['task_events', 'task_events']]);
  await expect(addTask(old, [4])).rejects.toMatchObject({ code: '23505' });
  await expect(query(`update task_events set task_id = gen_random_uuid()`)).rejects.toMatchObject({ code: '23503' });
});

test('a partition that is made by hand, as the run book says, reads no rows of the default one', async () => {
  await migrate(env.config.DATABASE_URL, env.log);
  const runBook = await readFile(new URL('../../../docs/run-book.md', import.meta.url), 'utf8');
  const statements = /^```sql\n(alter table task_events_default add constraint[^`]*)```$/m.exec(runBook)?.[1] ?? '';
  const client = await env.postgres.pool.connect();
  const notices: string[] = [];
  client.on('notice', ({ message }) => void notices.push(message ?? ''));
  await client.query('set client_min_messages = debug1');
  // A month that is still to come whenever this runs.
  const [march, april] = [2, 3].map((month) => [Date.UTC(2027, month), Date.UTC(2199, month)].map(firstIdAt));
  let later = statements.replaceAll('2027_03', '2199_03');
  for (const [ours = '', theirs = ''] of [march ?? [], april ?? []]) {
    expect(later).toContain(ours);
    later = later.replaceAll(ours, theirs);
  }
  await client.query(later);
  client.release(true);
  expect(notices).toContain(
    'updated partition constraint for default partition "task_events_default" is implied by existing constraints',
  );
  const inMarch = idOf('2199-03-05');
  await addTask(inMarch);
  expect(await partsOf(inMarch)).toEqual(['task_events_2199_03', 'task_events_2199_03']);
});

test('the sweep counts what became of partitions, and goes on after an error', async () => {
  const metrics = createMetrics();
  const sweep = (aligned: Partitions['align']) =>
    sweepPartitions({ partitions: { align: aligned }, metrics, log: env.log }, new AbortController().signal);
  await sweep(async () => [{ partition: 'task_events_2027_01', change: 'made' }]);
  await sweep(() => Promise.reject(new Error('must be owner of table task_events')));
  const { values } = await metrics.eventPartitions.get();
  expect(values.map(({ labels: { change }, value }) => [change, value])).toEqual([
    ['made', 1],
    ['failed', 1],
  ]);
});
