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
import { messageUpdate, stopUpdate, wakeSignal } from '../messages.ts';
import { erasure, rowWrite } from '../policies.ts';
import { Inbox } from './inbox.ts';
import { ConversationTurn } from './conversation-turn.ts';

const { isDeleted, decideMessages, stopConversation, runningTaskOf } = proxyLocalActivities<Activities>(rowWrite);
const { eraseConversation } = proxyActivities<Activities>(erasure);

/** Events of a run after which the next turn begins in a new one. */
const longRun = 2_000;

/**
 * A conversation while there is something to do: it decides about messages in the order in which they come, and lets one
 * task after the other answer. When nothing is left it ends; the next message starts it again, years later too, for all
 * that it must know stands in rows. One loop makes every change, so that none of them meets another.
 */
export async function conversationWorkflow(conversation: ConversationRef): Promise<void> {
  const inbox = new Inbox();
  const turn = new ConversationTurn(conversation);
  setHandler(messageUpdate, ({ messageId }) => inbox.message(messageId));
  setHandler(stopUpdate, (request) => inbox.stop(request));
  setHandler(wakeSignal, () => inbox.wake());

  const hasNews = () => inbox.hasNews || turn.hasEnded;
  const isDone = () => !turn.isRunning && allHandlersFinished();
  let [deleted, erased] = [false, false];
  do {
    if (inbox.takeWake()) deleted ||= await isDeleted({ conversation });
    await takeMessages();
    await takeStops();
    if (deleted) await turn.cancel();
    if (turn.hasEnded) await turn.end();
    if (hasNews()) continue;
    // A deleted one waits for the end of its task: what erases must not meet what is still said.
    const mayLeave = !(deleted && turn.isRunning);
    if (mayLeave && isLong() && allHandlersFinished()) return continueAsNew<typeof conversationWorkflow>(conversation);
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
    await condition(() => hasNews() || isDone());
  } while (hasNews() || !isDone());

  async function takeMessages() {
    const messages = inbox.takeMessages();
    if (messages.length === 0) return;
    const messageIds = [...new Set(messages.map(({ messageId }) => messageId))];
    const decided = await decideMessages({ conversation, messageIds });
    inbox.settle(messages, decided);
    await turn.react(decided);
  }

  async function takeStops() {
    for (let stop = inbox.takeStop(); stop; stop = inbox.takeStop()) {
      const receipt = await stopConversation({ conversation, queued: stop.queued });
      if (receipt.stoppedTaskId !== null) await turn.cancel(receipt.stoppedTaskId);
      stop.receipt = receipt;
    }
  }

  /** A run under way is left only when it must be: its successor has to find the running task by its row. */
  function isLong() {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || (!turn.isRunning && historyLength > longRun);
  }
}
