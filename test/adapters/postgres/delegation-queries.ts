import type { Scope } from '../../../contract/references.ts';
import type { Adapters } from '../../../wiring/adapters.ts';

/** What a task asks of the tasks below it, of its results and of its undos. */
export async function sendDelegationQueries(
  { effects, tasks, delegations, turns, messageStore }: Adapters,
  scope: Scope,
  taskId: string,
): Promise<void> {
  const task = { ...scope, taskId, agent: 'knowledge' };
  await effects.requestUndo(scope, taskId);
  await effects.listBegunUndos(task);
  await messageStore.findToolResult(scope, taskId, 'c');
  await effects.markLateUndo(task);
  await tasks.listOpenBelow(task);
  await delegations.listOpenBelow(task);
  await delegations.readWaits(task);
  await turns.takeSteering(task, { step: 1, head: 'h', results: [] });
}
