import type { BusyPolicy, MessageOutcome, MessageState } from '../conversation.ts';

/**
 * A message that is not yet part of the conversation's stored chain: its task runs, it waits, or it was passed over.
 */
export type OpenMessage = { id: string; taskId: string; state: 'running' | 'queued' | 'steering' | 'passed_over' };

export type BusyDecision = {
  outcome: MessageOutcome;
  state: MessageState;
  /** The running task, or the next one to run when none is running; null when there is neither. */
  runningTaskId: string | null;
  /** Waiting messages whose state changes at once. The running one changes when its task has ended. */
  moved: { id: string; state: MessageState }[];
};

/**
 * Decides what happens to a message that arrives at a conversation.
 *
 * @param open     the conversation's open messages, ordered by position
 * @param isEnding whether the running task is already being cancelled
 */
export function decideMessage(open: OpenMessage[], isEnding: boolean, policy: BusyPolicy): BusyDecision {
  const running = open.find(({ state }) => state === 'running');
  const waiting = open.filter(({ state }) => state === 'queued' || state === 'steering');
  const blocking = running ?? waiting[0];
  if (!blocking) return { outcome: 'started', state: 'queued', runningTaskId: null, moved: [] };
  const { taskId: runningTaskId } = blocking;
  const moveAll = (messages: OpenMessage[], state: MessageState) => messages.map(({ id }) => ({ id, state }));
  switch (policy) {
    case 'reject':
      return { outcome: 'rejected', state: 'rejected', runningTaskId, moved: [] };
    case 'interrupt':
      return { outcome: 'interrupted', state: 'queued', runningTaskId, moved: moveAll(waiting, 'passed_over') };
    case 'rollback': {
      const notRunning = open.filter(({ state }) => state !== 'running');
      return { outcome: 'rolled_back', state: 'queued', runningTaskId, moved: moveAll(notRunning, 'rolled_back') };
    }
    case 'steer':
      // A task that has not begun or is being cancelled cannot take another message.
      if (running && !isEnding) return { outcome: 'steered', state: 'steering', runningTaskId, moved: [] };
      return { outcome: 'queued', state: 'queued', runningTaskId, moved: [] };
    case 'enqueue':
      return { outcome: 'queued', state: 'queued', runningTaskId, moved: [] };
  }
}
