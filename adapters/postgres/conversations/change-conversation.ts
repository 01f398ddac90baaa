import type { BusyPolicy, ConversationChange } from '../../../contract/conversation.ts';
import type { ConversationRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { appendConversationEvents } from './conversation-events.ts';
import { lockConversation } from './conversation-row.ts';

/** Changes a conversation and appends an event, unless it is like that already. @returns whether it was changed */
export async function changeConversation(
  trx: Database,
  ref: Omit<ConversationRef, 'agent'>,
  { title, archived, onBusy, agent }: ConversationChange,
): Promise<boolean> {
  const row = await lockConversation(trx, ref);
  if (!row) return false;
  const columns = {
    title: title ?? row.title,
    on_busy: onBusy ?? row.on_busy,
    archived_at: archived === undefined ? row.archived_at : archived ? (row.archived_at ?? new Date()) : null,
    agent: agent ?? row.agent,
  };
  const isSame =
    columns.title === row.title &&
    columns.on_busy === row.on_busy &&
    columns.archived_at === row.archived_at &&
    columns.agent === row.agent;
  if (isSame) return false;
  await trx.updateTable('conversations').set(columns).where('id', '=', ref.conversationId).execute();
  const data = {
    title: columns.title,
    archived: columns.archived_at !== null,
    onBusy: columns.on_busy as BusyPolicy,
    agent: columns.agent,
  };
  await appendConversationEvents(trx, ref.conversationId, [{ type: 'conversation.changed', data }]);
  return true;
}
