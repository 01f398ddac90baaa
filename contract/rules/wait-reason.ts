import { AlfredError } from '../errors.ts';
import type { ReachedLimit, WaitReason } from '../references.ts';

/** Why a task waits, in a sentence a person understands, with what helps. */
export function describeWait(stop: WaitReason): string {
  if (stop.reason === 'outage')
    return `${stop.model} does not answer. The task goes on by itself when it does; nothing is spent meanwhile.`;
  if (stop.reason === 'approval')
    return stop.approvals.length === 1
      ? 'A call waits for a person’s approval. Nothing is spent meanwhile.'
      : `${stop.approvals.length} calls wait for a person’s approval. Nothing is spent meanwhile.`;
  const { limit, scope, max, charged, needed } = stop;
  const says = `${owner[scope]} ${limit} of ${amount(limit, max)} leaves no room: ${amount(limit, charged)} ${
    limit === 'maxDurationS' ? 'are over' : 'are charged'
  }${limit === 'maxDurationS' ? '' : `, and the next call may take ${amount(limit, needed)}`}.`;
  return scope === 'task'
    ? `${says} Grant more, or end the task with what it has.`
    : `${says} The task goes on with the next day (UTC), or when the limit is raised.`;
}

const owner = { task: 'The task’s', agent: 'The agent’s daily', tenant: 'The tenant’s daily' } as const;

function amount(limit: ReachedLimit['limit'], value: number): string {
  if (limit === 'maxCostUsd') return `$${Number(value.toFixed(6))}`;
  if (limit === 'maxTokens') return `${value} tokens`;
  return limit === 'maxModelCalls' ? `${value} model calls` : `${Math.round(value)} s`;
}

/** A call that does not fit its budgets; the workflow waits by its `details`. */
export const budgetExceeded = (stop: ReachedLimit) =>
  new AlfredError('budget_exceeded', describeWait({ reason: 'budget', ...stop }), {
    details: { reason: 'budget', ...stop },
  });
