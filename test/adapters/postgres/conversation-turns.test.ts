import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { beginTurn } from '../../../adapters/postgres/conversations/begin-turn.ts';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { contentHash } from '../../../adapters/postgres/hashes.ts';
import { insertContent } from '../../../adapters/postgres/messages/contents.ts';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { BegunTurn, ConversationRows, ConversationTurns } from '../../../contract/ports/index.ts';
import type { BusyPolicy } from '../../../contract/conversation.ts';
import type { ConversationRef } from '../../../contract/references.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { until } from '../../support/until.ts';
import { local } from '../../support/documents/put-document.ts';
import { person } from '../../support/principals.ts';

let env: TestEnvironment;
let rows: ConversationRows;
let turns: ConversationTurns;
beforeAll(async () => {
  env = await createTestEnvironment();
  rows = createConversationRows(env.postgres.db);
  turns = createConversationTurns(env.postgres.db);
});
afterAll(() => env?.close());

const who = person(local.subject, { tenant: local.tenant });
let ref: ConversationRef;
beforeEach(async () => {
  const { id, agent } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  ref = { ...local, conversationId: id, agent };
});

/** Stores a message and decides about it, as the conversation's workflow does. Its text is its id. */
async function send(id: string, onBusy?: BusyPolicy) {
  await rows.storeMessage(who, ref.conversationId, { id, text: id, ...(onBusy ? { onBusy } : {}) });
  return decide([id]);
}
const decide = async (ids: string[]) =>
  (await turns.decide(ref, ids)).map(
    ({ receipt, isNew }) => `${receipt.id} ${receipt.outcome}${isNew ? '' : ' again'}`,
  );
async function begin(): Promise<BegunTurn> {
  const begun = await turns.begin(ref, () => ({ budget: {} }));
  if (!begun) throw new Error('no message waits');
  return begun;
}
async function end({ task }: BegunTurn) {
  await createTasks(env.postgres.db).close(task, undefined, { status: 'cancelled', reason: 'test' });
  await turns.end(ref, task.taskId);
}
const states = async () =>
  (await rows.listMessages(local, ref.conversationId, { limit: 100 })).messages.map(
    ({ id, state }) => `${id} ${state}`,
  );
const untilLocked = (description: string) =>
  until(description, async () => {
    const { rows: waiting } = await env.postgres.pool.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return waiting.length > 0;
  });
const textsOf = async (head: string) =>
  (await createMessageStore(env.postgres.db).load(local, head)).messages.map((message) =>
    message.role === 'user' ? message.text : message.role,
  );

describe('a decision', () => {
  test('stays as it was, and a batch is decided in the order in which it came', async () => {
    for (const id of ['a', 'b', 'c']) await rows.storeMessage(who, ref.conversationId, { id, text: id });
    expect(await decide(['b', 'a'])).toEqual(['b started', 'a queued']);
    expect(await decide(['a', 'c', 'b', 'unknown'])).toEqual(['a queued again', 'c queued', 'b started again']);
    expect(await states()).toEqual(['b queued', 'a queued', 'c queued']);
  });

  test('lets an interrupting message pass over messages of its own batch', async () => {
    for (const id of ['a', 'b']) await rows.storeMessage(who, ref.conversationId, { id, text: id });
    await rows.storeMessage(who, ref.conversationId, { id: 'c', text: 'c', onBusy: 'interrupt' });
    expect(await decide(['a', 'b', 'c'])).toEqual(['a started', 'b queued', 'c interrupted']);
    expect(await states()).toEqual(['a passed_over', 'b passed_over', 'c queued']);
    expect(await textsOf((await begin()).head)).toEqual(['a', 'b', 'c']);
  });

  test('also rolls back passed-over messages that no task has read', async () => {
    await send('a');
    const running = await begin();
    await send('b');
    await send('c', 'interrupt');
    expect(await send('d', 'rollback')).toEqual(['d rolled_back']);
    await end(running);
    expect(await states()).toEqual(['a rolled_back', 'b rolled_back', 'c rolled_back', 'd queued']);
    expect(await textsOf((await begin()).head)).toEqual(['d']);
  });

  test('gives a task that is being cancelled no more messages', async () => {
    await send('a');
    const running = await begin();
    expect(await send('b', 'steer')).toEqual(['b steered']);
    await createTasks(env.postgres.db).recordCancelRequest(local, running.task.taskId, { by: 'somebody' });
    expect(await send('c', 'steer')).toEqual(['c queued']);
    expect(await turns.begin(ref, () => ({ budget: {} }))).toMatchObject({ task: running.task, isEnding: true });
  });

  test('gives a task that has not begun no messages, and rejects because of it', async () => {
    await send('a');
    expect(await send('b', 'steer')).toEqual(['b queued']);
    expect(await send('c', 'reject')).toEqual(['c rejected']);
  });

  test('is not made in a deleted conversation', async () => {
    await rows.storeMessage(who, ref.conversationId, { id: 'a', text: 'a' });
    await rows.markDeleted(local, ref.conversationId);
    expect(await decide(['a'])).toEqual([]);
    expect(await turns.begin(ref, () => ({ budget: {} }))).toBeUndefined();
  });
});

test('a task that begins while the deletion of its conversation waits is deleted too', async () => {
  const { db, pool } = env.postgres;
  await send('a');
  let deletion: Promise<unknown> | undefined;
  const begun = await db.transaction().execute(async (trx) => {
    const turn = await beginTurn(trx, ref, () => ({ budget: {} }));
    deletion = rows.markDeleted(local, ref.conversationId);
    await untilLocked('the deletion waits for the conversation');
    return turn;
  });
  await deletion;
  const { rows: tasks } = await pool.query('select erased_at from tasks where id = $1', [begun?.task.taskId]);
  expect(tasks).toEqual([{ erased_at: expect.any(Date) }]);
});

describe('the end of retention', () => {
  const expire = () => rows.markDeleted(local, ref.conversationId, { idleDays: 7 });
  const age = () =>
    env.postgres.pool.query(`update conversations set updated_at = now() - interval '8 days' where id = $1`, [
      ref.conversationId,
    ]);

  test('keeps a conversation that gets a message meanwhile', async () => {
    await send('a');
    await end(await begin());
    await age();
    let expired: Promise<unknown> | undefined;
    await env.postgres.db.transaction().execute(async (trx) => {
      await createConversationRows(trx).storeMessage(who, ref.conversationId, { id: 'b', text: 'b' });
      expired = expire();
      await untilLocked('the deletion waits for the message');
    });
    expect(await expired).toBeUndefined();
    await decide(['b']);
    expect(await states()).toEqual(['a done', 'b queued']);
    await end(await begin());
    expect(await expire()).toBeUndefined();
    await age();
    expect(await expire()).toEqual(ref);
  });
});

describe('a turn', () => {
  test('that is begun twice is the same one, and one that is ended twice stays as it ended', async () => {
    await send('a');
    await send('b');
    const first = await begin();
    expect(await turns.begin(ref, () => ({ budget: {} }))).toEqual(first);
    await end(first);
    const second = await begin();
    await turns.end(ref, first.task.taskId);
    expect(await states()).toEqual(['a done', 'b running']);
    expect(await turns.begin(ref, () => ({ budget: {} }))).toEqual(second);
  });
});

describe('steering', () => {
  const storeResult = async (output: string) => {
    const content = JSON.stringify({ text: output, citations: [] });
    await insertContent(local, contentHash(content), content).execute(env.postgres.db);
    return contentHash(content);
  };
  const take = async (running: BegunTurn, step: number, head: string, result?: string) =>
    turns.takeSteering(running.task, {
      step,
      head,
      results: result === undefined ? [] : [{ callId: 'c', tool: 'look', result }],
    });
  const events = async (taskId: string) => {
    const { rows: eventRows } = await env.postgres.pool.query(
      `select data->>'messageId' as id, (data->>'step')::int as step from task_events where task_id = $1 and type = 'message.steered' order by seq`,
      [taskId],
    );
    return eventRows;
  };

  test('appends the messages after the pending results, in order, with an event each', async () => {
    await send('a');
    const running = await begin();
    await send('b', 'steer');
    await send('c', 'steer');
    const { head } = await take(running, 2, running.head, await storeResult('found'));
    expect(await textsOf(head)).toEqual(['a', 'tool', 'b', 'c']);
    expect(await events(running.task.taskId)).toEqual([
      { id: 'b', step: 2 },
      { id: 'c', step: 2 },
    ]);
    expect(await states()).toEqual(['a running', 'b steered', 'c steered']);
  });

  test('takes the same messages again for the same step, and later ones at the next step', async () => {
    await send('a');
    const running = await begin();
    await send('b', 'steer');
    const { head, hasMore } = await take(running, 2, running.head);
    expect(hasMore).toBeUndefined();
    await send('c', 'steer');
    expect(await take(running, 2, running.head)).toEqual({ head, hasMore: true });
    const next = await take(running, 3, head, await storeResult('more'));
    expect(await textsOf(next.head)).toEqual(['a', 'b', 'tool', 'c']);
    expect(await events(running.task.taskId)).toHaveLength(2);
  });

  test('without messages stores the results in the same way as a model call', async () => {
    await send('a');
    const running = await begin();
    expect(await take(running, 2, running.head)).toEqual({ head: running.head });
    const result = await storeResult('found');
    const direct = await createMessageStore(env.postgres.db).append(local, running.head, {
      role: 'tool',
      results: [{ isError: false, callId: 'c', tool: 'look', result }],
    });
    expect(await take(running, 2, running.head, result)).toEqual({ head: direct });
  });

  test('that was taken last is where the conversation goes on; messages that were not taken wait for their turns', async () => {
    await send('a');
    const running = await begin();
    await send('b', 'steer');
    await take(running, 1, running.head);
    await send('c', 'steer');
    await send('d');
    await end(running);
    expect(await states()).toEqual(['a done', 'b steered', 'c queued', 'd queued']);
    const next = await begin();
    expect(await textsOf(next.head)).toEqual(['a', 'b', 'c']);
  });

  test('is found again by a run that begins from the rows; a step that asked its model takes no new messages', async () => {
    await send('a');
    const running = await begin();
    const tasks = createTasks(env.postgres.db);
    const start = (runId: string) => tasks.start(running.task, { runId }, { model: 'scripted:test' });
    expect(await start('r1')).toMatchObject({ isSteered: false });
    await env.postgres.pool.query(
      `insert into model_calls (call_id, task_id, tenant, agent, step, attempt, outcome, provider, model,
         input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms)
       values (gen_random_uuid(), $1, 'local', 'knowledge', 1, 1, 'completed', 'scripted', 'test', 0, 0, 0, 0, 0, 5)`,
      [running.task.taskId],
    );
    await send('b', 'steer');
    const { head } = await take(running, 2, running.head);

    await send('c', 'steer');
    expect(await start('r2')).toMatchObject({ isSteered: true });
    expect(await take(running, 1, running.head)).toEqual({ head: running.head, hasMore: true });
    expect(await take(running, 2, running.head)).toEqual({ head, hasMore: true });
    expect(await textsOf((await take(running, 3, head)).head)).toEqual(['a', 'b', 'c']);
  });

  test('is rolled back with the task that took it', async () => {
    await send('a');
    const running = await begin();
    await send('b', 'steer');
    await take(running, 1, running.head);
    await send('c', 'rollback');
    await end(running);
    expect(await states()).toEqual(['a rolled_back', 'b rolled_back', 'c queued']);
    expect(await textsOf((await begin()).head)).toEqual(['c']);
  });
});

test('two conversations that begin with the same text share no message', async () => {
  await send('hello');
  const first = await begin();
  const { id } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  ref = { ...ref, conversationId: id };
  await send('hello');
  expect((await begin()).head).not.toBe(first.head);
});
