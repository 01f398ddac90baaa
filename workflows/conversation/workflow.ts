import {
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ConversationRef } from '../../contract/references.ts';
import { messageUpdate, stopUpdate, wakeSignal } from '../signals-and-updates.ts';
import { erasure, rowWrite, rowWriteInHandler } from '../policies.ts';
import { Inbox } from './inbox.ts';
import { ConversationTurn } from './conversation-turn.ts';

const { isDeleted, decideMessages, stopConversation, runningTaskOf } = proxyLocalActivities<Activities>(rowWrite);
const { eraseConversation } = proxyActivities<Activities>(erasure);
// Not local activities: their events put the update into the history before the row shows its outcome. If the worker
// died in the workflow task that accepts the update, a local activity's row could say that a task was stopped,
// interrupted or steered, and the task would never hear of it.
const { decideMessages: decideWithEvent, stopConversation: stopWithEvent } =
  proxyActivities<Activities>(rowWriteInHandler);

/** Events after which the next turn begins in a new run. */
const maxHistoryEvents = 2_000;

/**
 * Runs a conversation while there is something to do: decides about messages in order of arrival, and lets one task at
 * a time answer. It ends when nothing is left; the next message starts it again, even years later, because its state is
 * in rows. One loop makes every change, so changes never overlap.
 */
export async function conversationWorkflow(conversation: ConversationRef): Promise<void> {
  const inbox = new Inbox();
  const turn = new ConversationTurn(conversation);
  setHandler(messageUpdate, ({ messageId }) => inbox.submitMessage(messageId));
  setHandler(stopUpdate, (request) => inbox.submitStop(request));
  setHandler(wakeSignal, () => inbox.wake());

  const hasNews = () => inbox.hasNews || turn.hasEnded;
  const isDone = () => !turn.isRunning && allHandlersFinished();
  let deleted = false;
  let erased = false;
  do {
    if (inbox.takeWake()) deleted ||= await isDeleted({ conversation });
    await takeMessages();
    await takeStops();
    if (deleted) await turn.cancel();
    if (turn.hasEnded) await turn.end();
    if (hasNews()) continue;
    // A deleted conversation stays until its task has ended: nothing may be written while it is erased.
    const mayContinueAsNew = !(deleted && turn.isRunning);
    if (mayContinueAsNew && isHistoryFull() && allHandlersFinished())
      return continueAsNew<typeof conversationWorkflow>(conversation);
    if (!turn.isRunning && !deleted) await turn.begin();
    if (!turn.isRunning && deleted && !erased) {
      const orphan = patched('deleted-looks-for-its-task') ? await runningTaskOf({ conversation }) : null;
      if (orphan !== null) {
        turn.adopt(orphan);
        continue;
      }
      await eraseConversation({ conversation });
      erased = true;
    }
    await condition(() => hasNews() || isDone() || (!deleted && isFullOfPolls()));
  } while (hasNews() || !isDone());

  /**
   * Looks at a task's row alone can fill the history, when the task waits for a person for hours. The next run finds
   * the task by its row. The task of a deleted conversation is cancelled, so it does not wait.
   */
  function isFullOfPolls() {
    return turn.isPolled && isHistoryFull() && allHandlersFinished() && patched('polls-on-in-a-new-run');
  }

  async function takeMessages() {
    const messages = inbox.takeMessages();
    if (messages.length === 0) return;
    const messageIds = [...new Set(messages.map(({ messageId }) => messageId))];
    const decide = changesRunningTask() ? decideWithEvent : decideMessages;
    const decided = await decide({ conversation, messageIds });
    inbox.settle(messages, decided);
    await turn.applyDecisions(decided);
  }

  async function takeStops() {
    for (let stop = inbox.takeStop(); stop; stop = inbox.takeStop()) {
      const stopTurn = changesRunningTask() ? stopWithEvent : stopConversation;
      const receipt = await stopTurn({ conversation, queued: stop.queued });
      if (receipt.stoppedTaskId !== null) await turn.cancel(receipt.stoppedTaskId);
      stop.receipt = receipt;
    }
  }

  /** While no task runs, a row that is written is all that an update asks for. */
  function changesRunningTask() {
    return turn.isRunning && patched('a-running-turn-changes-with-an-event');
  }

  /** While a task runs, only Temporal's own suggestion counts: the next run must find the running task by its row. */
  function isHistoryFull() {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || (!turn.isRunning && historyLength > maxHistoryEvents);
  }
}
