import { conversationWorkflowId } from '../../contract/ids.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ConversationControl, ConversationRows, WorkflowSurvey } from '../../contract/ports/index.ts';
import { rowsWithoutRun } from './open-rows.ts';

export type WakeDeps = {
  conversationRows: Pick<ConversationRows, 'listOpen'>;
  messages: Pick<ConversationControl, 'wake'>;
  survey: Pick<WorkflowSurvey, 'describe' | 'runningAmong'>;
  log: Logger;
};

/** Restarts conversations that have something to do but no running workflow, because it was terminated or lost. */
export async function wakeConversations(
  { conversationRows, messages, survey, log }: WakeDeps,
  signal: AbortSignal,
): Promise<void> {
  const rows = rowsWithoutRun({
    open: (page) => conversationRows.listOpen(page),
    idOf: ({ conversationId }) => conversationId,
    workflowIdOf: ({ conversationId }) => conversationWorkflowId(conversationId),
    survey,
    signal,
  });
  for await (const { row: conversation, describe } of rows) {
    const { conversationId } = conversation;
    try {
      const { status } = await describe();
      if (status === 'running') continue;
      await messages.wake(conversation);
      log.warn({ conversationId, found: status }, 'a conversation with something to do was woken');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, conversationId }, 'a conversation could not be looked at');
    }
  }
}
