import type { ConversationEvent } from '../../contract/conversation.ts';
import { exitCodes } from '../cli-error.ts';
import { isLast } from '../client/follow-events.ts';
import { exitCodeOf } from '../task-ending.ts';

/** Keeps count of what was said here and has no answer yet, and of how it ended. */
export function createAwaited() {
  const own = new Set<string>();
  const open = new Set<string>();
  /** Messages that a running task has read: they are answered when it ends. */
  const readBy = new Map<string, string>();
  const endings = new Map<string, number>();
  const running = new Set<string>();
  const codes = new Set<number>();
  const waiting = new Set<() => void>();

  function close(id: string, code: number) {
    if (!open.delete(id)) return;
    codes.add(code);
    for (const check of waiting) check();
  }

  function take(event: ConversationEvent) {
    if ('taskId' in event) {
      if (!isLast(event)) return;
      const code = exitCodeOf(event);
      endings.set(event.taskId, code);
      for (const [id, taskId] of readBy) if (taskId === event.taskId) close(id, code);
    } else if (event.type === 'conversation.message') {
      if (event.data.outcome === 'rejected') close(event.data.messageId, exitCodes.failed);
    } else if (event.type === 'conversation.turn') {
      turn(event.data);
    }
  }

  function turn({ messageId, taskId, state }: Extract<ConversationEvent, { type: 'conversation.turn' }>['data']) {
    if (state === 'running') running.add(taskId);
    else if (state !== 'steered') running.delete(taskId);
    if (state === 'steered') readBy.set(messageId, taskId);
    if (state === 'done') close(messageId, endings.get(taskId) ?? exitCodes.ok);
    if (state === 'passed_over' || state === 'rolled_back' || state === 'dropped')
      close(messageId, exitCodes.cancelled);
  }

  return {
    take,
    /** A message is about to be sent. */
    add(id: string) {
      own.add(id);
      open.add(id);
    },
    /** It was not taken. */
    refused: (id: string) => close(id, exitCodes.failed),
    isOwn: (id: string) => own.has(id),
    isNothing: () => own.size === 0,
    /** Whether something runs, whoever asked for it, or something said here has no answer yet. */
    isBusy: () => open.size > 0 || running.size > 0,
    ran: (taskId: string) => running.add(taskId),
    /** Resolves once fewer than so many have no answer. */
    fewerThan: (count: number) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (open.size >= count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    /** Something failed, else something was stopped or gave way, else every message has its answer. */
    exitCode: () => [exitCodes.failed, exitCodes.cancelled].find((code) => codes.has(code)) ?? exitCodes.ok,
  };
}
