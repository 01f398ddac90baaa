import type { types } from '@slack/bolt';
import type { Effect, Waiting } from '../../contract/task.ts';
import { actionIds, grantValue } from './actions.ts';
import { button } from './approval-blocks.ts';
import type { TaskView } from './task-view.ts';

/** Whether only a person can end the wait, by a button of the message. A stream has no buttons. */
export const needsPerson = ({ approvals, waiting }: Pick<TaskView, 'approvals' | 'waiting'>): boolean =>
  approvals.length > 0 || (waiting?.reason === 'budget' && waiting.scope === 'task');

const units = { maxTokens: 'tokens', maxModelCalls: 'model calls', maxDurationS: 's' } as const;

const amount = (limit: NonNullable<Waiting['limit']>, total: number) =>
  limit === 'maxCostUsd' ? `$${total}` : `${total} ${units[limit]}`;

/** The new total of a limit that leaves room: the same amount again, or as often as the next call needs it. */
function totalOf({ max = 0, charged = 0, needed = 0 }: Waiting): number {
  const times = Math.max(2, Math.ceil((charged + needed) / max));
  return Number((times * max).toFixed(6));
}

function grantButtons(waiting: Waiting | undefined, taskId: string): types.Button[] {
  if (waiting?.reason !== 'budget' || waiting.scope !== 'task') return [];
  const { limit, max } = waiting;
  if (limit === undefined || max === undefined || max <= 0) return [];
  const total = totalOf(waiting);
  return [
    button(actionIds.grant, `Grant more: ${amount(limit, total)} in all`, {
      value: grantValue({ taskId, limit, total }),
      style: 'primary',
    }),
  ];
}

/** What people can do about a task that has not ended. */
export const runningButtons = ({ waiting }: Pick<TaskView, 'waiting'>, taskId: string): types.ActionsBlock => ({
  type: 'actions',
  elements: [...grantButtons(waiting, taskId), button(actionIds.stop, 'Stop', { value: taskId })],
});

const isUndoable = ({ state }: Effect) => state === 'done' || state === 'undo_failed';

/** What people can do about a task that was stopped. */
export function stoppedButtons({ status, effects = [] }: TaskView, taskId: string | undefined): types.ActionsBlock[] {
  if (status !== 'cancelled' || taskId === undefined || !effects.some(isUndoable)) return [];
  return [{ type: 'actions', elements: [button(actionIds.undo, 'Undo', { value: taskId })] }];
}
