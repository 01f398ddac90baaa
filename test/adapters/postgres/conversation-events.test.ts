import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createConversationEvents } from '../../../adapters/postgres/conversations/conversation-events.ts';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { eraseTasks } from '../../../adapters/postgres/erasure/erase-tasks.ts';
import type { EventListener } from '../../../adapters/postgres/event-listener.ts';
import { followRows } from '../../../adapters/postgres/follow-rows.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { ConversationEvent } from '../../../contract/conversation.ts';
import type { ConversationEvents, ConversationRows, ConversationTurns } from '../../../contract/ports/index.ts';
import type { ConversationRef, TaskRef } from '../../../contract/references.ts';
import { local } from '../../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { person } from '../../support/principals.ts';

let env: TestEnvironment;
let rows: ConversationRows;
let turns: ConversationTurns;
let events: ConversationEvents;
/** What happens while a follower waits for a notification. */
let whileWaiting: () => Promise<void>;
beforeAll(async () => {
  env = await createTestEnvironment();
  const { db } = env.postgres;
  rows = createConversationRows(db);
  turns = createConversationTurns(db);
  const listener = { listen: () => ({ arm() {}, next: () => whileWaiting(), close() {} }) };
  events = createConversationEvents(db, listener as unknown as EventListener);
});
afterAll(() => env?.close());

let ref: ConversationRef;
let task: TaskRef;
beforeEach(async () => {
  const { id, agent } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  ref = { ...local, conversationId: id, agent };
  await rows.storeMessage(person(local.subject, { tenant: local.tenant }), id, { id: 'm', text: 'one' });
  await turns.decide(ref, ['m']);
  const turn = await turns.begin(ref, () => ({ budget: {} }));
  if (!turn) throw new Error('no turn');
  ({ task } = turn);
});

const remove = () => rows.markDeleted(local, ref.conversationId);
const end = () => createTasks(env.postgres.db).close(task, undefined, { status: 'cancelled', reason: 'test' });
async function follow(after: number, signal = new AbortController().signal): Promise<ConversationEvent[]> {
  const followed: ConversationEvent[] = [];
  for await (const page of events.follow(local, ref.conversationId, after, signal)) followed.push(...page);
  return followed;
}
const typesOf = (followed: ConversationEvent[]) => followed.map(({ type }) => type);
const whole = ['conversation.message', 'task.queued', 'conversation.turn', 'conversation.deleted'];

test('each follower receives the deletion also when the rows are erased before it reads', async () => {
  let waiting = 0;
  const erased = Promise.withResolvers<void>();
  whileWaiting = async () => {
    waiting++;
    if (waiting < 2) return erased.promise;
    await remove();
    await end();
    await turns.erase(ref);
    erased.resolve();
  };
  for (const followed of await Promise.all([follow(0), follow(0)])) {
    expect(typesOf(followed)).toEqual(whole);
    expect(followed.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  }
});

test('a follower receives the deletion once, as the last event, also when its task ends after it', async () => {
  await remove();
  await end();
  expect(typesOf(await follow(0))).toEqual(whole);
});

test('a follower that is behind receives no events of tasks that are erased already', async () => {
  await remove();
  await end();
  await eraseTasks(env.postgres.db, local, [task.taskId]);
  expect(typesOf(await follow(0))).toEqual(whole.filter((type) => type !== 'task.queued'));
});

test('a follower that leaves is told nothing', async () => {
  const gone = new AbortController();
  whileWaiting = async () => {
    await remove();
    gone.abort();
  };
  expect(typesOf(await follow(0, gone.signal))).toEqual(whole.slice(0, 3));
});

test('a conversation is deleted once: a second deletion finds nothing, and changes nothing', async () => {
  const erasedAt = async () =>
    (await env.postgres.pool.query('select erased_at from tasks where id = $1', [task.taskId])).rows;
  expect(await remove()).toMatchObject({ conversationId: ref.conversationId });
  const first = await erasedAt();
  expect(await remove()).toBeUndefined();
  expect(await erasedAt()).toEqual(first);
  expect(typesOf(await events.read(local, ref.conversationId, 0, 10))).toEqual(whole);
});

test('rows that come while a follower asks for the end are given', async () => {
  const pages = [[], [{ seq: 1 }], []];
  const listener = { listen: () => ({ arm() {}, next: async () => {}, close() {} }) } as unknown as EventListener;
  const given = [];
  for await (const page of followRows<{ seq: number }>(listener, {
    id: 'x',
    after: 0,
    signal: AbortSignal.timeout(5_000),
    read: async () => pages.shift() ?? [],
    isLast: () => false,
    isOver: async () => true,
  }))
    given.push(...page);
  expect(given).toEqual([{ seq: 1 }]);
});
