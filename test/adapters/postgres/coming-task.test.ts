import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findTask, findVisibleTask, readStoredTask, withTask } from '../../../api/find-task.ts';
import { readAsPreferred } from '../../../api/http/wait-for-end.ts';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import type { EventListener } from '../../../adapters/postgres/event-listener.ts';
import { createShares } from '../../../adapters/postgres/sharing/shares.ts';
import { createTaskEvents } from '../../../adapters/postgres/tasks/task-events.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { ConversationRows, ConversationTurns, TaskControl, Tasks } from '../../../contract/ports/index.ts';
import type { BusyPolicy } from '../../../contract/conversation.ts';
import type { ConversationRef } from '../../../contract/references.ts';
import { isEnded } from '../../../contract/task-status.ts';
import type { ApiDeps } from '../../../api/deps.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local } from '../../support/documents/put-document.ts';
import { person } from '../../support/principals.ts';

let env: TestEnvironment;
let conversationRows: ConversationRows;
let turns: ConversationTurns;
let tasks: Tasks;
beforeAll(async () => {
  env = await createTestEnvironment();
  conversationRows = createConversationRows(env.postgres.db);
  turns = createConversationTurns(env.postgres.db);
  tasks = createTasks(env.postgres.db);
});
afterAll(() => env?.close());

let ref: ConversationRef;
beforeEach(async () => {
  const { id, agent } = await conversationRows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  ref = { ...local, conversationId: id, agent };
});
/** @returns the id of the task that is to answer the message */
async function send(id: string, onBusy: BusyPolicy = 'enqueue') {
  await conversationRows.storeMessage(person(local.subject, { tenant: local.tenant }), ref.conversationId, {
    id,
    text: id,
    onBusy,
  });
  const [decided] = await turns.decide(ref, [id]);
  return decided?.receipt.taskId ?? '';
}
const begin = () => turns.begin(ref, () => ({ budget: {} }));
const depsWith = (read: TaskControl['read']) =>
  ({ conversationRows, control: { tasks: { read } } }) as unknown as Pick<ApiDeps, 'control' | 'conversationRows'>;
const statusOf = async (id: string) =>
  (
    await findTask(
      depsWith((scope, taskId) => tasks.get(scope, taskId)),
      local,
      id,
    ).catch(({ code }: { code: string }) => ({ status: code }))
  ).status;

describe('the task of a message', () => {
  test('that a later one interrupted is never missing: queued, then cancelled before and after it has a row', async () => {
    const first = await send('a');
    await begin();
    const second = await send('b');
    expect(await statusOf(second)).toBe('queued');
    await send('c', 'interrupt');
    expect(await tasks.get(local, second)).toBeUndefined();
    expect(await statusOf(second)).toBe('cancelled');
    await tasks.close({ ...ref, taskId: first }, undefined, { status: 'cancelled', reason: 'test' });
    await turns.end(ref, first);
    await begin();
    expect(await tasks.get(local, second)).toMatchObject({ status: 'cancelled' });
    expect(await statusOf(second)).toBe('cancelled');
  });

  test('is known by the message, with the state of that, until the conversation is deleted', async () => {
    const first = await send('a');
    await begin();
    await send('b', 'steer');
    const find = (id: string, scope = local) => conversationRows.findMessage(scope, ref.conversationId, id);
    expect(await find('a')).toEqual({ taskId: first, state: 'running' });
    const steering = await find('b');
    expect(steering?.state).toBe('steering');
    expect(steering?.taskId).not.toBe(first);
    await turns.end(ref, first);
    expect(await find('b')).toEqual({ taskId: steering?.taskId, state: 'queued' });
    expect(await find('c')).toBeUndefined();
    expect(await find('a', { ...local, subject: 'another' })).toBeUndefined();
    await conversationRows.markDeleted(local, ref.conversationId);
    expect(await find('a')).toBeUndefined();
  });

  test('that was rolled back or dropped is cancelled, and gone with its conversation', async () => {
    const [rolledBack, dropped] = [await send('a'), await send('b', 'rollback')];
    await turns.stop(ref, 'drop');
    expect([await statusOf(rolledBack), await statusOf(dropped)]).toEqual(['cancelled', 'cancelled']);
    await conversationRows.markDeleted(local, ref.conversationId);
    expect([await statusOf(rolledBack), await statusOf(dropped)]).toEqual(['not_found', 'not_found']);
  });
});

describe('a request that waits for a task', () => {
  type Reader = Parameters<typeof readAsPreferred<{ status: string }>>[1];
  const wait = (reading: Pick<Reader, 'read' | 'readStored' | 'readUntilEnd'>) =>
    readAsPreferred({ header: () => {}, raw: { destroyed: false, once: () => {} } } as never, {
      prefer: 'wait=60',
      draining: new AbortController().signal,
      isEnded: ({ status }) => isEnded(status as 'queued'),
      ...reading,
    });

  test('that waits for its turn asks Temporal once the wait has lasted and at its end, and not with each look', async () => {
    await send('a');
    await begin();
    const id = await send('b');
    const owner = person(local.subject, { tenant: local.tenant });
    let asked = 0;
    const read: TaskControl['read'] = async (reach, taskId) => {
      asked++;
      return tasks.get(reach, taskId);
    };
    const shares = createShares(env.postgres.db);
    let reads = 0;
    const row = await wait({
      read: () => findVisibleTask({ ...depsWith(read), shares }, owner, id),
      readStored: () => readStoredTask({ tasks, conversationRows, shares }, owner, id),
      async readUntilEnd(_, readNext) {
        while (++reads % 9 !== 0) await readNext();
        return readNext();
      },
    });
    expect({ status: row.status, asked, reads }).toEqual({ status: 'queued', asked: 2, reads: 18 });
  });

  test('that was reset waits for its new end', async () => {
    const stored = ['completed', 'running', 'running', 'failed'];
    const seen: string[] = [];
    const row = await wait({
      // Brings the row in line with its workflow, which runs again.
      read: async () => ({ status: 'running' }),
      readStored: async () => ({ status: stored.shift() ?? 'failed' }),
      async readUntilEnd(_, readNext) {
        const reads = [await readNext(), await readNext()];
        seen.push(...reads.map((found) => found?.status ?? 'open'));
        return reads[1];
      },
    });
    expect({ row, seen }).toEqual({ row: { status: 'failed' }, seen: ['running', 'running', 'running', 'failed'] });
  });
});

describe('a turn that begins between two reads', () => {
  test('is found by who changes its task', async () => {
    const id = await send('a');
    let reads = 0;
    const act = async () => {
      if (reads++ > 0) return tasks.get(local, id);
      const before = await tasks.get(local, id);
      await begin();
      return before;
    };
    const found = await withTask({ conversationRows }, { scope: local, id }, act, (task) => task);
    expect(found).toMatchObject({ id, status: 'queued', lastSeq: 1 });
  });

  test('is found by who follows or waits', async () => {
    const id = await send('a');
    let hasBegun = false;
    const db = env.postgres.db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (!hasBegun && result.rows.length === 0) {
          hasBegun = true;
          await begin();
        }
        return result;
      },
    });
    const stop = new AbortController();
    const listener = {
      listen: () => ({ arm() {}, next: async () => stop.abort(), close() {} }),
    } as unknown as EventListener;
    const followed: string[] = [];
    for await (const page of createTaskEvents(db, listener).follow(local, id, 0, stop.signal))
      followed.push(...page.map(({ type }) => type));
    // It waits for more in place of ending: the abort comes from there.
    expect([stop.signal.aborted, hasBegun]).toEqual([true, true]);
  });
});

test('the task of a message that waits has the schedule and the time that it will have', async () => {
  const { pool } = env.postgres;
  const first = await send('a');
  await begin();
  const scheduleId = randomUUID();
  const key = `schedule/${scheduleId}-2026-01-01T00:00:00Z`;
  await pool.query(
    `insert into schedules (id, tenant, subject, name, timing, action, request_hash) values ($1, $2, $3, 'n', '{}', '{}', 'r')`,
    [scheduleId, local.tenant, local.subject],
  );
  await pool.query(
    'insert into schedule_runs (schedule_id, key, conversation_id, message_id) values ($1, $2, $3, $2)',
    [scheduleId, key, ref.conversationId],
  );
  const taskId = await send(key);
  const coming = await conversationRows.findComingTask(local, taskId);
  expect(coming?.scheduleId).toBe(scheduleId);
  await tasks.close({ ...ref, taskId: first }, undefined, { status: 'cancelled', reason: 'test' });
  await turns.end(ref, first);
  await begin();
  const { scheduleId: same, createdAt } = (await tasks.get(local, taskId)) ?? {};
  expect({ scheduleId: same, createdAt }).toEqual({ scheduleId, createdAt: coming?.createdAt });
});
