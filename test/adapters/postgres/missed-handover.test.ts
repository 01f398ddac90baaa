import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../../adapters/postgres/conversations/conversation-turns.ts';
import { contentHash } from '../../../adapters/postgres/hashes.ts';
import { insertContent } from '../../../adapters/postgres/messages/contents.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { local } from '../../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { person } from '../../support/principals.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

/** A conversation of the agent `knowledge`. */
async function createConversation() {
  const { db } = env.postgres;
  const rows = createConversationRows(db);
  const turns = createConversationTurns(db);
  const { id, agent } = await rows.create(local, { agent: 'knowledge' }, { onBusy: 'enqueue' });
  const ref = { ...local, conversationId: id, agent };
  const end = async (task: TaskRef) => {
    await createTasks(db).close(task, undefined, { status: 'cancelled', reason: 'test' });
    await turns.end(ref, task.taskId);
  };
  return {
    change: (change: { title?: string; agent?: string }) => rows.change(local, id, change),
    agent: async () => (await rows.get(local, id))?.agent,
    async begin(text: string): Promise<TaskRef> {
      await rows.storeMessage(person(local.subject, { tenant: local.tenant }), id, { id: text, text });
      await turns.decide(ref, [text]);
      const begun = await turns.begin(ref, () => ({ budget: {} }));
      if (!begun) throw new Error('no message waits');
      return begun.task;
    },
    end,
    /** As a worker of a version before handovers: it passes over what the answer says. */
    async endAsBefore(task: TaskRef, heir: string) {
      await end(task);
      const content = JSON.stringify({ text: 'Over to you.', citations: [], handsOver: { agent: heir } });
      await insertContent(local, contentHash(content), content).execute(db);
      await db
        .updateTable('tasks')
        .set({ status: 'completed', result_hash: contentHash(content) })
        .where('id', '=', task.taskId)
        .execute();
    },
  };
}

test('a turn that an older worker ended without its handover is handed over before the next one', async () => {
  const conversation = await createConversation();
  await conversation.endAsBefore(await conversation.begin('a'), 'tax');
  // Another change in between is none of the agent.
  await conversation.change({ title: 'Taxes' });
  expect((await conversation.begin('b')).agent).toBe('tax');
  expect(await conversation.agent()).toBe('tax');
});

test('what a person has decided since stays', async () => {
  const conversation = await createConversation();
  await conversation.endAsBefore(await conversation.begin('a'), 'tax');
  await conversation.change({ agent: 'tax' });
  await conversation.change({ agent: 'knowledge' });
  expect((await conversation.begin('b')).agent).toBe('knowledge');
});
