import type { Scope } from '../../../contract/references.ts';
import type { Adapters } from '../../../wiring/adapters.ts';

/** What a task asks of the tasks below it. */
export async function sendDelegationQueries(
  { effects, tasks, delegations, turns }: Pick<Adapters, 'effects' | 'tasks' | 'delegations' | 'turns'>,
  scope: Scope,
  taskId: string,
): Promise<void> {
  const task = { ...scope, taskId, agent: 'knowledge' };
  await effects.requestUndo(scope, taskId);
  await effects.markLateUndo(task);
  await tasks.listOpenBelow(task);
  await delegations.listOpenBelow(task);
  await delegations.readWaits(task);
  await turns.takeSteering(task, { step: 1, head: 'h', results: [] });
}
