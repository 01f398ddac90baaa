import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { createConversationEvents } from '../../../adapters/postgres/conversations/conversation-events.ts';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { createEventListener } from '../../../adapters/postgres/event-listener.ts';
import { createLedger } from '../../../adapters/postgres/ledger/ledger.ts';
import { createCallbacks } from '../../../adapters/postgres/tasks/callbacks.ts';
import { expandPieces } from '../../../adapters/postgres/tasks/fold-text.ts';
import { createTaskEvents } from '../../../adapters/postgres/tasks/task-events.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { TaskEvent } from '../../../contract/events.ts';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { ConversationRef, MessageHead, TaskRef } from '../../../contract/references.ts';
import { migrate } from '../../../runtime/database/migrate.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { completedCall, failedCall, local, openCall, run } from '../../support/ledger/ledger-harness.ts';
import { until } from '../../support/until.ts';
import { person } from '../../support/principals.ts';

const createParts = ({ postgres: { db }, config, log }: TestEnvironment) => {
  const listener = createEventListener(() => config.DATABASE_URL, log);
  return {
    listener,
    rows: createConversationRows(db),
    turns: createConversationTurns(db),
    tasks: createTasks(db),
    ledger: createLedger(db),
    events: createTaskEvents(db, listener),
    conversationEvents: createConversationEvents(db, listener),
  };
};
let env: TestEnvironment;
let parts: ReturnType<typeof createParts>;
beforeAll(async () => {
  env = await createTestEnvironment();
  parts = createParts(env);
});
afterAll(async () => {
  await parts?.listener.close();
  await env?.close();
});

let conversation: ConversationRef;
let task: TaskRef;
let head: MessageHead;
beforeEach(async () => {
  const { id, agent } = await parts.rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  conversation = { ...local, conversationId: id, agent };
  await say('a');
  const begun = await parts.turns.begin(conversation, () => ({ budget: {} }));
  if (!begun) throw new Error('no message waits');
  ({ task, head } = begun);
  await parts.tasks.start(task, run, { model: 'scripted:x' });
});

async function say(id: string) {
  await parts.rows.storeMessage(person(local.subject, { tenant: local.tenant }), conversation.conversationId, {
    id,
    text: id,
  });
  await parts.turns.decide(conversation, [id]);
}
/** The call that streams now. */
let streaming: ReturnType<typeof openCall>;
const begin = async (attempt: number) => {
  streaming = openCall({ attempt, replaces: await parts.ledger.listOpenCalls(task) });
  expect(await parts.ledger.beginModelCall(task, streaming)).toBeUndefined();
  return streaming;
};
const stream = async (...texts: string[]) => {
  for (const text of texts) expect(await parts.events.appendText(task, streaming, text)).toBe(true);
};
const settle = (call: ReturnType<typeof openCall>) =>
  parts.ledger.settleModelCall(task, completedCall(call, head, 'x'));
const read = (after = 0, limit = 1_000) => parts.events.read(local, task.taskId, after, limit);
const readConversation = (after = 0, limit = 1_000) =>
  parts.conversationEvents.read(local, conversation.conversationId, after, limit);
/** Events without their times: a folded piece has the time of the last one. */
const timeless = <E extends { at: string }>(events: E[]) => events.map(({ at: _, ...event }) => event);
const countRows = async (table: 'task_events' | 'conversation_events') => {
  const { rows } = await env.postgres.pool.query<{ n: number }>(
    `select count(*)::int as n from ${table} where task_id = $1`,
    [task.taskId],
  );
  return rows[0]?.n ?? 0;
};
/** Takes the last events back: what the log has not brought to the disk is gone after a crash of Postgres. */
const crash = (lost: number) =>
  env.postgres.pool.query(
    `with task as (update tasks set last_seq = last_seq - $3 where id = $1 returning last_seq),
       conversation as (update conversations set last_seq = last_seq - $3 where id = $2 returning last_seq),
       mirrors as (delete from conversation_events c using conversation k where c.conversation_id = $2 and c.seq > k.last_seq)
     delete from task_events e using task where e.task_id = $1 and e.seq > task.last_seq`,
    [task.taskId, conversation.conversationId, lost],
  );
const readText = async () =>
  (await read()).flatMap((event) => (event.type === 'text.delta' ? [event.data.text] : [])).join('');
const words = Array.from({ length: 100 }, (_, n) => (n % 7 === 0 ? `ü🙂${n} ` : `word${n} `));

test('the text of a step becomes one row when the step settles, and readers see the same events from any place', async () => {
  const first = await begin(1);
  await stream(...words.slice(0, 30));
  await parts.ledger.failModelCall(task, failedCall(first));
  const second = await begin(2);
  await stream(...words.slice(0, 60));
  await say('while it runs');
  await stream(...words.slice(60));
  const before = { task: timeless(await read()), conversation: timeless(await readConversation()) };
  await settle(second);

  expect(await countRows('task_events')).toBeLessThanOrEqual(30);
  expect(await countRows('conversation_events')).toBeLessThanOrEqual(30);
  for (let after = 0; after < before.task.length; after += 7) {
    expect(timeless(await read(after)).slice(0, before.task.length - after)).toEqual(before.task.slice(after));
    expect(timeless(await readConversation(after)).slice(0, before.conversation.length - after)).toEqual(
      before.conversation.slice(after),
    );
  }
  expect(timeless(await read(3, 5))).toEqual(before.task.slice(3, 8));
  expect(timeless(await readConversation(50, 5))).toEqual(before.conversation.slice(50, 55));
});

test('a follower in the middle of a text sees each piece once while the text is folded', async () => {
  const call = await begin(1);
  const seen: TaskEvent[] = [];
  const stop = new AbortController();
  const folded = Promise.withResolvers<void>();
  const following = (async () => {
    for await (const page of parts.events.follow(local, task.taskId, 0, stop.signal)) {
      seen.push(...page);
      // The text goes on and is folded while this follower has read a part of it.
      if (seen.length > 20) await folded.promise;
    }
  })();
  await stream(...words.slice(0, 40));
  await until('the follower has read a part', () => seen.length > 20);
  await stream(...words.slice(40));
  await settle(call);
  await parts.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
  folded.resolve();
  await following;
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
  expect(seen.flatMap((event) => (event.type === 'text.delta' ? [event.data.text] : [])).join('')).toBe(words.join(''));
  expect(seen.at(-1)?.type).toBe('task.cancelled');
});

test('the text of an attempt that vanished is folded when the task ends', async () => {
  await begin(1);
  await stream(...words);
  await parts.tasks.close(task, run, { status: 'failed', code: 'workflow_lost', message: 'gone' });
  expect(await countRows('task_events')).toBeLessThanOrEqual(30);
  expect((await read()).filter(({ type }) => type === 'text.delta')).toHaveLength(words.length);
});

test('all statements of a task are prepared, those that fold its text included', async () => {
  const query = jest.spyOn(pg.Client.prototype, 'query');
  try {
    const { id } = await parts.tasks.create(local, { agent: 'knowledge', input: { text: 'a question' } }, {});
    await parts.tasks.get(local, id);
    const call = await begin(1);
    await stream(...words.slice(0, 3));
    await settle(call);
    await parts.tasks.close(task, run, { status: 'cancelled', reason: 'test' });
    await createCallbacks(env.postgres.db).get(task);
    // A statement without a name, as the client passes it on to the driver. A new connection sets its limits so.
    const unprepared = query.mock.calls.flatMap(([text]: unknown[]) => (typeof text === 'string' ? [text] : []));
    expect(unprepared.filter((text) => !text.startsWith('set '))).toEqual([]);
    expect(query.mock.calls.length).toBeGreaterThan(8);
  } finally {
    query.mockRestore();
  }
});

test('pieces in quick succession share notifications, and the last one is announced', async () => {
  const listener = new pg.Client(env.config.DATABASE_URL);
  await listener.connect();
  await listener.query(`listen ${taskEventsChannel}`);
  await begin(1);
  const heard: string[] = [];
  listener.on('notification', ({ payload = '' }) => heard.push(payload));
  await stream(...words);
  await stream('last');
  const before = heard.length;
  await until('the last piece is announced', () => heard.length > Math.min(before, 2));
  expect(heard.filter((id) => id === task.taskId).length).toBeLessThan(words.length / 2);
  expect(heard).toContain(conversation.conversationId);
  await listener.end();
});

test('pieces that a crash of Postgres took back are stored again under their numbers before anything else', async () => {
  const call = await begin(1);
  await stream(...words.slice(0, 10));
  const before = timeless(await read());
  const conversationBefore = timeless(await readConversation());
  await crash(3);
  expect(timeless(await read())).toEqual(before.slice(0, -3));
  await settle(call);
  expect(timeless(await read()).slice(0, before.length)).toEqual(before);
  expect(timeless(await readConversation()).slice(0, conversationBefore.length)).toEqual(conversationBefore);
  expect((await read()).at(-1)).toMatchObject({ seq: before.length + 1, type: 'model.completed' });
});

test('the completed text of an attempt holds each piece once after a crash of Postgres', async () => {
  const call = await begin(1);
  await stream(...words.slice(0, 10));
  const before = timeless(await read());
  await crash(3);
  const source = { ...run, callId: call.callId, step: 1, attempt: 1 };
  expect(await parts.events.completeText(task, source, words.slice(0, 11).join(''))).toBe(true);
  expect(timeless(await read()).slice(0, before.length)).toEqual(before);
  expect(await readText()).toBe(words.slice(0, 11).join(''));
  // After a commit that failed, the pieces are stored again too.
  await crash(4);
  expect(await parts.events.completeText(task, source, words.slice(0, 12).join(''))).toBe(true);
  await settle(call);
  expect(timeless(await read()).slice(0, before.length)).toEqual(before);
  expect(await readText()).toBe(words.slice(0, 12).join(''));
});

test('no piece is lost when another process appends while the pieces of before a crash are stored again', async () => {
  const call = await begin(1);
  await stream(...words.slice(0, 10));
  await crash(3);
  const other = await env.postgres.pool.connect();
  await other.query('begin');
  await other.query(
    `with task as (update tasks set last_seq = last_seq + 1 where id = $1 returning id, last_seq)
     insert into task_events (task_id, seq, type, data) select id, last_seq, 'task.resumed', '{"reason": "service"}' from task`,
    [task.taskId],
  );
  const settled = settle(call);
  await until('the end of the call waits for the other process', async () => {
    const { rows } = await env.postgres.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });
  await other.query('commit');
  other.release();
  await settled;
  expect((await readText()).length).toBe(words.slice(0, 10).join('').length);
  expect((await read()).map(({ seq }) => seq)).toEqual((await read()).map((_, index) => index + 1));
});

test('pieces that were stored again under other numbers are stored once, also after a second crash', async () => {
  const call = await begin(1);
  await stream(...words.slice(0, 10));
  await crash(3);
  await env.postgres.pool.query(
    `with task as (update tasks set last_seq = last_seq + 1 where id = $1 returning id, last_seq)
     insert into task_events (task_id, seq, type, data) select id, last_seq, 'task.resumed', '{"reason": "service"}' from task`,
    [task.taskId],
  );
  await stream(...words.slice(10, 11));
  await crash(1);
  await settle(call);
  expect(await readText()).toBe(words.slice(0, 11).join(''));
});

test('a folded row gives its pieces with their numbers and whole characters', () => {
  const row = { seq: 9, data: { step: 1, attempt: 1, text: 'a🙂bü' } };
  const pieces = (after: number) => expandPieces(row, [2, 3, 4], after).map(({ seq, data }) => [seq, data.text]);
  expect(pieces(0)).toEqual([
    [7, 'a🙂'],
    [8, 'b'],
    [9, 'ü'],
  ]);
  expect(pieces(8)).toEqual([[9, 'ü']]);
  expect(expandPieces(row, null, 0)).toEqual([row]);
});

test('the schema of before has a row for every piece again', async () => {
  const call = await begin(1);
  await stream(...words);
  await settle(call);
  const events = (await read()).map(({ seq, type, data }) => ({ seq, type, data }));
  const conversationSeqs = (await readConversation()).map(({ seq }) => seq);
  const { DATABASE_URL: url } = env.config;
  const isFolding = async () =>
    (await env.postgres.pool.query(`select from information_schema.columns where column_name = 'piece_ends'`)).rows
      .length > 0;
  while (await isFolding()) await migrate(url, env.log, 'down');
  const query = async (text: string, id: string) => (await env.postgres.pool.query<object>(text, [id])).rows;
  expect(await query('select seq, type, data from task_events where task_id = $1 order by seq', task.taskId)).toEqual(
    events,
  );
  expect(
    await query(
      'select seq from conversation_events where conversation_id = $1 order by seq',
      conversation.conversationId,
    ),
  ).toEqual(conversationSeqs.map((seq) => ({ seq })));
  await migrate(url, env.log);
  expect(await isFolding()).toBe(true);
});
