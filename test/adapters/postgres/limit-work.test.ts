import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KyselyPlugin } from 'kysely';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { limitMessages, limitTasks } from '../../../adapters/postgres/tenants/limit-work.ts';
import type { Tenants } from '../../../contract/ports/index.ts';
import type { TaskRequest } from '../../../contract/task.ts';
import type { TenantLimits } from '../../../contract/tenants.ts';
import { createLedgerHarness, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';
import { person } from '../../support/principals.ts';
import { until } from '../../support/until.ts';

let harness: LedgerHarness;
beforeAll(async () => {
  harness = await createLedgerHarness();
});
afterAll(() => harness?.close());

const ann = person('ann', { tenant: 'acme' });
const request = { agent: 'knowledge', input: { text: 'x' } } as unknown as TaskRequest;

/** Of other databases of the server, there may be more. */
const locksWaitedFor = `
  select from pg_locks l join pg_database d on d.oid = l.database
  where d.datname = current_database() and locktype = 'advisory' and not granted`;

/** The limited rows of a tenant with these limits, and the queries that they send. */
function createLimited(limits: TenantLimits) {
  const sent: string[] = [];
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      sent.push(JSON.stringify(node));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const db = harness.db.withPlugin(plugin);
  const tenants = {
    requireActive: async () => undefined,
    find: async (name: string) => ({ name, state: 'active', reason: null, limits }),
  } as unknown as Tenants;
  const isCounted = (text: string) => sent.some((query) => query.includes(text));
  return {
    tasks: limitTasks(db, harness.tasks, tenants),
    messages: limitMessages(db, createConversationRows(harness.db), tenants),
    /** Whether the tasks of the day, and messages that wait, were counted. */
    counted: () => ({ day: isCounted('inserted_at >='), messages: isCounted('from conversation_messages m join') }),
  };
}

test('the tasks of a day are counted for tenants that have a limit of them, and for no other', async () => {
  const atOnce = createLimited({ tasksAtOnce: 100 });
  await atOnce.tasks.create(ann, request, {});
  expect(atOnce.counted()).toEqual({ day: false, messages: false });
  const message = { id: 'm', request: { text: 'x' }, requestHash: 'h' };
  const store = ({ messages }: typeof atOnce) =>
    messages.storeMessage(ann, 'none', message as never).catch(() => undefined);
  await store(atOnce);
  expect(atOnce.counted()).toEqual({ day: false, messages: true });

  const daily = createLimited({ tasksPerDay: 100 });
  await daily.tasks.create(ann, request, {});
  expect(daily.counted()).toEqual({ day: true, messages: true });
  const talking = createLimited({ tasksPerDay: 100 });
  await store(talking);
  expect(talking.counted().day).toBe(true);
});

test('when too many requests of a tenant wait for the database, the next one may come again', async () => {
  const { tasks } = createLimited({ tasksAtOnce: 1_000 });
  const other = await harness.pool.connect();
  let waiting: Promise<unknown>[] = [];
  try {
    await other.query(`select pg_advisory_lock(hashtextextended('tenant-tasks/acme', 0))`);
    waiting = Array.from({ length: 201 }, () => tasks.create(ann, request, {}));
    const outcomes = Promise.allSettled(waiting);
    await until('one waits for the lock', async () => (await harness.pool.query(locksWaitedFor)).rowCount, {
      accept: (count) => count === 1,
    });
    await expect(tasks.create(ann, request, {})).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining('200 requests of the tenant acme wait'),
    });
    await other.query('select pg_advisory_unlock_all()');
    expect((await outcomes).every(({ status }) => status === 'fulfilled')).toBe(true);
  } finally {
    other.release(true);
    await Promise.allSettled(waiting);
  }
});
