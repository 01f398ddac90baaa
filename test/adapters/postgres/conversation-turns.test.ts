import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { createMessageStore } from '../../../adapters/postgres/messages/message-store.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { BegunTurn, ConversationRows, ConversationTurns } from '../../../contract/ports/index.ts';
import type { BusyPolicy } from '../../../contract/conversation.ts';
import type { ConversationRef } from '../../../contract/references.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { local } from '../../support/documents/put-document.ts';

let env: TestEnvironment;
let rows: ConversationRows;
let turns: ConversationTurns;
beforeAll(async () => {
  env = await createTestEnvironment();
  rows = createConversationRows(env.postgres.db);
  turns = createConversationTurns(env.postgres.db);
});
afterAll(() => env?.close());

const who = { ...local, roles: [] };
let ref: ConversationRef;
beforeEach(async () => {
  const { id, agent } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  ref = { ...local, conversationId: id, agent };
});

/** Says something and has it decided, as the conversation's workflow does. The text is the message's id. */
async function say(id: string, onBusy?: BusyPolicy) {
  await rows.storeMessage(who, ref.conversationId, { id, text: id, ...(onBusy ? { onBusy } : {}) });
  return decide([id]);
}
const decide = async (ids: string[]) =>
  (await turns.decide(ref, ids)).map(
    ({ receipt, isNew }) => `${receipt.id} ${receipt.outcome}${isNew ? '' : ' again'}`,
  );
async function begin(): Promise<BegunTurn> {
  const begun = await turns.begin(ref, {});
  if (!begun) throw new Error('nobody waits');
  return begun;
}
async function end({ task }: BegunTurn) {
  await createTasks(env.postgres.db).close(task, undefined, { status: 'cancelled', reason: 'test' });
  await turns.end(ref, task.taskId);
}
const states = async () =>
  (await rows.listMessages(local, ref.conversationId, { limit: 100 })).messages.map(({ id, state }) => `${id} ${state}`);
const said = async (head: string) =>
  (await createMessageStore(env.postgres.db).load(local, head)).messages.map((message) =>
    message.role === 'user' ? message.text : message.role,
  );

describe('deciding', () => {
  test('keeps what was decided, and decides about a batch in the order in which it came', async () => {
    for (const id of ['a', 'b', 'c']) await rows.storeMessage(who, ref.conversationId, { id, text: id });
    expect(await decide(['b', 'a'])).toEqual(['b started', 'a queued']);
    expect(await decide(['a', 'c', 'b', 'unknown'])).toEqual(['a queued again', 'c queued', 'b started again']);
    expect(await states()).toEqual(['b queued', 'a queued', 'c queued']);
  });

  test('lets an interrupting message pass over those of its own batch', async () => {
    for (const id of ['a', 'b']) await rows.storeMessage(who, ref.conversationId, { id, text: id });
    await rows.storeMessage(who, ref.conversationId, { id: 'c', text: 'c', onBusy: 'interrupt' });
    expect(await decide(['a', 'b', 'c'])).toEqual(['a started', 'b queued', 'c interrupted']);
    expect(await states()).toEqual(['a passed_over', 'b passed_over', 'c queued']);
    expect(await said((await begin()).head)).toEqual(['a', 'b', 'c']);
  });

  test('rolls back what was passed over and not read by anybody, too', async () => {
    await say('a');
    const running = await begin();
    await say('b');
    await say('c', 'interrupt');
    expect(await say('d', 'rollback')).toEqual(['d rolled_back']);
    await end(running);
    expect(await states()).toEqual(['a rolled_back', 'b rolled_back', 'c rolled_back', 'd queued']);
    expect(await said((await begin()).head)).toEqual(['d']);
  });

  test('gives a task that is being cancelled no more messages', async () => {
    await say('a');
    const running = await begin();
    expect(await say('b', 'steer')).toEqual(['b steered']);
    await createTasks(env.postgres.db).recordCancelRequest(local, running.task.taskId, { by: 'somebody' });
    expect(await say('c', 'steer')).toEqual(['c queued']);
    expect(await turns.begin(ref, {})).toMatchObject({ task: running.task, isEnding: true });
  });

  test('gives a task that has not begun none either, and rejects because of it', async () => {
    await say('a');
    expect(await say('b', 'steer')).toEqual(['b queued']);
    expect(await say('c', 'reject')).toEqual(['c rejected']);
  });

  test('is over when the conversation was deleted', async () => {
    await rows.storeMessage(who, ref.conversationId, { id: 'a', text: 'a' });
    await rows.markDeleted(local, ref.conversationId);
    expect(await decide(['a'])).toEqual([]);
    expect(await turns.begin(ref, {})).toBeUndefined();
  });
});

describe('a turn', () => {
  test('that is begun again is the same one, and one that is ended again stays as it ended', async () => {
    await say('a');
    await say('b');
    const first = await begin();
    expect(await turns.begin(ref, {})).toEqual(first);
    await end(first);
    const second = await begin();
    await turns.end(ref, first.task.taskId);
    expect(await states()).toEqual(['a done', 'b running']);
    expect(await turns.begin(ref, {})).toEqual(second);
  });
});

describe('steering', () => {
  const stored = async (output: string) => {
    const tasks = createTasks(env.postgres.db);
    return tasks.storeResult(local, { text: output, citations: [] });
  };
  const taken = async (running: BegunTurn, step: number, head: string, result?: string) =>
    turns.takeSteering(running.task, {
      step,
      head,
      results: result === undefined ? [] : [{ callId: 'c', tool: 'look', result }],
    });
  const events = async (taskId: string) => {
    const { rows: found } = await env.postgres.pool.query(
      `select data->>'messageId' as id, (data->>'step')::int as step from task_events where task_id = $1 and type = 'message.steered' order by seq`,
      [taskId],
    );
    return found;
  };

  test('puts the messages behind the pending results, in order, with an event each', async () => {
    await say('a');
    const running = await begin();
    await say('b', 'steer');
    await say('c', 'steer');
    const { head } = await taken(running, 2, running.head, await stored('found'));
    expect(await said(head)).toEqual(['a', 'tool', 'b', 'c']);
    expect(await events(running.task.taskId)).toEqual([
      { id: 'b', step: 2 },
      { id: 'c', step: 2 },
    ]);
    expect(await states()).toEqual(['a running', 'b steered', 'c steered']);
  });

  test('takes the same again for the same step, and what has come since at the next one', async () => {
    await say('a');
    const running = await begin();
    await say('b', 'steer');
    const { head, hasMore } = await taken(running, 2, running.head);
    expect(hasMore).toBeUndefined();
    await say('c', 'steer');
    expect(await taken(running, 2, running.head)).toEqual({ head, hasMore: true });
    const next = await taken(running, 3, head, await stored('more'));
    expect(await said(next.head)).toEqual(['a', 'b', 'tool', 'c']);
    expect(await events(running.task.taskId)).toHaveLength(2);
  });

  test('with nothing to take stores the results as the model call does', async () => {
    await say('a');
    const running = await begin();
    expect(await taken(running, 2, running.head)).toEqual({ head: running.head });
    const result = await stored('found');
    const direct = await createMessageStore(env.postgres.db).append(local, running.head, {
      role: 'tool',
      results: [{ isError: false, callId: 'c', tool: 'look', result }],
    });
    expect(await taken(running, 2, running.head, result)).toEqual({ head: direct });
  });

  test('that was taken last is where the conversation goes on; what was not taken waits for its turn', async () => {
    await say('a');
    const running = await begin();
    await say('b', 'steer');
    await taken(running, 1, running.head);
    await say('c', 'steer');
    await say('d');
    await end(running);
    expect(await states()).toEqual(['a done', 'b steered', 'c queued', 'd queued']);
    const next = await begin();
    expect(await said(next.head)).toEqual(['a', 'b', 'c']);
  });

  test('is rolled back with the task that took it', async () => {
    await say('a');
    const running = await begin();
    await say('b', 'steer');
    await taken(running, 1, running.head);
    await say('c', 'rollback');
    await end(running);
    expect(await states()).toEqual(['a rolled_back', 'b rolled_back', 'c queued']);
    expect(await said((await begin()).head)).toEqual(['c']);
  });
});

test('two conversations that begin with the same words have no message in common', async () => {
  await say('hello');
  const one = await begin();
  const { id } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  ref = { ...ref, conversationId: id };
  await say('hello');
  expect((await begin()).head).not.toBe(one.head);
});
