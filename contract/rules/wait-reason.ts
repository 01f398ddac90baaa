import { AlfredError } from '../errors.ts';
import { agentQueue } from '../ids.ts';
import type { ReachedLimit, WaitReason } from '../references.ts';

/** Explains to a person why a task waits and what they can do. */
export function describeWait(wait: WaitReason): string {
  if (wait.reason === 'outage' && wait.because === 'auth')
    return `The provider of ${wait.model} refuses our key, our account or the model: check the key, what it may use, that the account is paid, and that the provider still has the model. The task goes on by itself when it answers; nothing is spent meanwhile. To end the task, cancel it.`;
  if (wait.reason === 'outage')
    return `${wait.model} is not asked now, because its last calls failed. The task goes on by itself when it answers again; nothing is spent meanwhile.`;
  if (wait.reason === 'service')
    return `${wait.because} The task goes on by itself when that is over; nothing is spent meanwhile.`;
  if (wait.reason === 'tenant')
    return `${wait.because} The task goes on by itself when the tenant may work again; nothing is spent meanwhile.`;
  if (wait.reason === 'approval')
    return wait.approvals.length === 1
      ? 'A call waits for a person’s approval. Nothing is spent meanwhile.'
      : `${wait.approvals.length} calls wait for a person’s approval. Nothing is spent meanwhile.`;
  const { limit, scope, max, charged, needed } = wait;
  const next = limit === 'maxDurationS' ? '' : `, and the next call may take ${formatAmount(limit, needed)}`;
  const problem = `${ownerOf[scope]} ${limit} of ${formatAmount(limit, max)} leaves no room: so far ${formatAmount(limit, charged)}${next}.`;
  return scope === 'task'
    ? `${problem} Grant more, or end the task with what it has.`
    : `${problem} The task goes on with the next day (UTC), or when the limit is raised.`;
}

/** What a queued task waits for when no worker serves its agent. */
export const describeUnserved = (agent: string) => ({
  reason: 'worker' as const,
  message: `No worker serves the task queue ${agentQueue(agent)}. The task starts when one does; nothing is spent meanwhile.`,
});

const ownerOf = { task: 'The task’s', agent: 'The agent’s daily', tenant: 'The tenant’s daily' } as const;

function formatAmount(limit: ReachedLimit['limit'], value: number): string {
  if (limit === 'maxCostUsd') return `$${Number(value.toFixed(6))}`;
  if (limit === 'maxTokens') return `${value} tokens`;
  if (limit === 'maxDurationS') return `${Math.round(value)} s`;
  return value === 1 ? '1 model call' : `${value} model calls`;
}

/** The error of a model call that does not fit its budgets. The workflow reads `details` to decide how to wait. */
export const budgetExceeded = (limit: ReachedLimit) =>
  new AlfredError('budget_exceeded', describeWait({ reason: 'budget', ...limit }), {
    details: { reason: 'budget', ...limit },
  });
