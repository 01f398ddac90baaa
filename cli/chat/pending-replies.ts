import type { ConversationEvent } from '../../contract/conversation.ts';
import { isTerminalEvent } from '../../contract/events.ts';
import { exitCodes } from '../cli-error.ts';
import { exitCodeOf } from '../task-ending.ts';

/** Tracks the messages that this command has sent: which have no reply yet, and how the others ended. */
export function createPendingReplies() {
  const sent = new Set<string>();
  const unanswered = new Set<string>();
  /** Task id by message id, of messages that steered a running task. The end of the task is their reply. */
  const steeredTasks = new Map<string, string>();
  const exitCodeByTask = new Map<string, number>();
  const runningTasks = new Set<string>();
  const codes = new Set<number>();
  const waiting = new Set<() => void>();

  function close(messageId: string, code: number) {
    if (!unanswered.delete(messageId)) return;
    codes.add(code);
    for (const check of waiting) check();
  }

  function handleEvent(event: ConversationEvent) {
    if ('taskId' in event) {
      if (!isTerminalEvent(event)) return;
      const code = exitCodeOf(event);
      exitCodeByTask.set(event.taskId, code);
      for (const [messageId, taskId] of steeredTasks) if (taskId === event.taskId) close(messageId, code);
    } else if (event.type === 'conversation.message') {
      if (event.data.outcome === 'rejected') close(event.data.messageId, exitCodes.failed);
    } else if (event.type === 'conversation.turn') {
      handleTurn(event.data);
    }
  }

  function handleTurn({ messageId, taskId, state }: Extract<ConversationEvent, { type: 'conversation.turn' }>['data']) {
    if (state === 'running') runningTasks.add(taskId);
    else if (state !== 'steered') runningTasks.delete(taskId);
    if (state === 'steered') steeredTasks.set(messageId, taskId);
    if (state === 'done') close(messageId, exitCodeByTask.get(taskId) ?? exitCodes.ok);
    if (state === 'passed_over' || state === 'rolled_back' || state === 'dropped')
      close(messageId, exitCodes.cancelled);
  }

  return {
    handleEvent,
    /** Call it before the message is sent, so that no event about it comes too early. */
    add(messageId: string) {
      sent.add(messageId);
      unanswered.add(messageId);
    },
    /** The server refused the message. */
    markRefused: (messageId: string) => close(messageId, exitCodes.failed),
    markRunning: (taskId: string) => runningTasks.add(taskId),
    /** Whether this command has sent the message. */
    isOwn: (messageId: string) => sent.has(messageId),
    hasSentNothing: () => sent.size === 0,
    /** Whether a message of this command has no reply yet, or a task runs in the conversation, also another user's. */
    isBusy: () => unanswered.size > 0 || runningTasks.size > 0,
    /** Resolves when fewer than `count` messages are unanswered. */
    waitForFewerThan: (count: number) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (unanswered.size >= count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    /** `failed` when a message failed, else `cancelled` when one was cancelled, else `ok`. */
    exitCode: () => [exitCodes.failed, exitCodes.cancelled].find((code) => codes.has(code)) ?? exitCodes.ok,
  };
}
