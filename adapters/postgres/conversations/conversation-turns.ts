import { sql } from 'kysely';
import type { NewConversationEvent } from '../../../contract/conversation.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CancelNote, ConversationTurns } from '../../../contract/ports/index.ts';
import { beginTurn } from './begin-turn.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { lockConversation } from './conversation-row.ts';
import { decideMessages } from './decide-messages.ts';
import { endTurn } from './end-turn.ts';
import { eraseConversation } from './erase-conversation.ts';
import { openMessages } from './open-messages.ts';
import { takeSteering } from './take-steering.ts';
import { createTasks } from '../tasks/tasks.ts';

/** The turns of conversations. Each method is one transaction under the lock of the conversation's row. */
export const createConversationTurns = (db: Database): ConversationTurns => ({
  async isDeleted({ conversationId }) {
    const row = await db
      .selectFrom('conversations')
      .select('deleted_at')
      .where('id', '=', conversationId)
      .executeTakeFirst();
    return !row || row.deleted_at !== null;
  },

  async findRunningTask({ conversationId }) {
    const row = await db
      .selectFrom('conversation_messages as m')
      .innerJoin('tasks as t', 't.id', 'm.task_id')
      .select('m.task_id')
      .where('m.conversation_id', '=', conversationId)
      .where('m.state', '=', 'running')
      .where('t.ended_at', 'is', null)
      .executeTakeFirst();
    return row?.task_id ?? null;
  },

  decide: (conversation, messageIds) =>
    db.transaction().execute((trx) => decideMessages(trx, conversation, messageIds)),

  begin: (conversation, settingsOf) => db.transaction().execute((trx) => beginTurn(trx, conversation, settingsOf)),

  end: (conversation, taskId) => db.transaction().execute((trx) => endTurn(trx, conversation, taskId)),

  stop: (conversation, queued) =>
    db.transaction().execute(async (trx) => {
      const { conversationId } = conversation;
      const running = (await openMessages(trx, conversationId)).find(({ state }) => state === 'running');
      const request = await readStopRequest(trx, conversationId);
      // Locks the task before its conversation, as every transaction does.
      if (running && request) await createTasks(trx).recordCancelRequest(conversation, running.taskId, request);
      const row = await lockConversation(trx, conversation);
      await trx.updateTable('conversations').set({ stop_request: null }).where('id', '=', conversationId).execute();
      const dropped = row && queued === 'drop' ? await dropWaiting(trx, conversationId) : [];
      const stoppedTaskId = row ? (running?.taskId ?? null) : null;
      const ids = dropped.map(({ id }) => id);
      if (stoppedTaskId !== null || ids.length > 0)
        await appendConversationEvents(trx, conversationId, [
          { type: 'conversation.stopped', data: { taskId: stoppedTaskId, dropped: ids } },
          ...dropped.map(({ id, task_id: taskId }): NewConversationEvent => ({
            type: 'conversation.turn',
            data: { messageId: id, taskId, state: 'dropped' },
          })),
        ]);
      return { stoppedTaskId, dropped: ids };
    }),

  takeSteering: (task, at) => db.transaction().execute((trx) => takeSteering(trx, task, at)),

  erase: (conversation) => eraseConversation(db, conversation),
});

/** Drops the messages that wait. @returns them, in order */
async function dropWaiting(trx: Database, conversationId: string) {
  const { rows } = await sql<{ id: string; task_id: string; position: number }>`
    update conversation_messages set state = 'dropped'
    where conversation_id = ${conversationId} and state in ('queued', 'steering')
    returning id, task_id, position`.execute(trx);
  return rows.sort((a, b) => a.position - b.position);
}

async function readStopRequest(trx: Database, conversationId: string): Promise<CancelNote | null> {
  const row = await trx
    .selectFrom('conversations')
    .select('stop_request')
    .where('id', '=', conversationId)
    .executeTakeFirst();
  return row?.stop_request ?? null;
}
