import type { BusyPolicy, MessageOutcome, MessageState } from '../conversation.ts';

/** A message that runs, waits, or was passed over and is not in the chain of its conversation yet. */
export type OpenMessage = { id: string; taskId: string; state: 'running' | 'queued' | 'steering' | 'passed_over' };

export type BusyDecision = {
  outcome: MessageOutcome;
  state: MessageState;
  /** The task that was in the way: the running one, else the next that will run. */
  runningTaskId: string | null;
  /** What becomes of others because of it. */
  moved: { id: string; state: MessageState }[];
};

/**
 * What becomes of a message that comes to a conversation.
 *
 * @param open     its open messages, in the order of their positions
 * @param isEnding whether the running task is being cancelled already
 */
export function decideMessage(open: OpenMessage[], isEnding: boolean, policy: BusyPolicy): BusyDecision {
  const running = open.find(({ state }) => state === 'running');
  const waiting = open.filter(({ state }) => state === 'queued' || state === 'steering');
  const inTheWay = running ?? waiting[0];
  if (!inTheWay) return { outcome: 'started', state: 'queued', runningTaskId: null, moved: [] };
  const { taskId: runningTaskId } = inTheWay;
  const every = (messages: OpenMessage[], state: MessageState) => messages.map(({ id }) => ({ id, state }));
  switch (policy) {
    case 'reject':
      return { outcome: 'rejected', state: 'rejected', runningTaskId, moved: [] };
    case 'interrupt':
      return { outcome: 'interrupted', state: 'queued', runningTaskId, moved: every(waiting, 'passed_over') };
    case 'rollback': {
      const before = open.filter(({ state }) => state !== 'running');
      return { outcome: 'rolled_back', state: 'queued', runningTaskId, moved: every(before, 'rolled_back') };
    }
    case 'steer':
      // A task that has not begun, or is being cancelled, takes nothing any more.
      if (running && !isEnding) return { outcome: 'steered', state: 'steering', runningTaskId, moved: [] };
      return { outcome: 'queued', state: 'queued', runningTaskId, moved: [] };
    case 'enqueue':
      return { outcome: 'queued', state: 'queued', runningTaskId, moved: [] };
  }
}
