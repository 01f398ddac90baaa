import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { findAgent, type Agent, type Agents } from '../agents/index.ts';
import { AlfredError, maxAttemptsOf } from '../contract/errors.ts';
import type { Run, Tool } from '../contract/ports/index.ts';
import { isDatabaseUnavailable } from '../runtime/database/postgres.ts';

/** The Temporal run that this activity works for. */
export const currentRun = (): Run => ({ runId: activityInfo().workflowExecution?.runId ?? '' });

/**
 * Runs work that may be silent for long, and heartbeats every second. So Temporal notices a dead worker, and a
 * cancellation arrives and aborts the work.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timer = setInterval(heartbeat, 1_000);
  try {
    return await work(cancellationSignal());
  } finally {
    clearInterval(timer);
  }
}

/** Converts any error. An unknown one becomes `internal`, which keeps its text out of history. */
export function toAlfredError(error: unknown): AlfredError {
  if (error instanceof AlfredError) return error;
  if (isDatabaseUnavailable(error)) return new AlfredError('database_unavailable', undefined, { cause: error });
  return new AlfredError('internal', undefined, { cause: error });
}

/** Whether Temporal makes no further attempt at this activity after this error. */
export const isFinal = (error: AlfredError) => (error.failures ?? activityInfo().attempt) >= maxAttemptsOf(error.code);

/**
 * Whether an activity was aborted because Temporal stopped waiting for this attempt: it heard nothing of it for too
 * long, or a person paused or reset the activity. The work itself was not cancelled.
 */
export const isAbandoned = ({ reason }: AbortSignal) =>
  reason instanceof Error && /^(NOT_FOUND|TIMED_OUT|PAUSED|RESET)$/.test(reason.message);

/** Whether an activity was aborted because its worker shuts down, and not because of a cancellation. */
export const isShutdown = ({ reason }: AbortSignal) => reason instanceof Error && reason.message === 'WORKER_SHUTDOWN';

/** @throws AlfredError `unknown_agent` when this version has no such agent: the task may be older */
export function requireAgent(agents: Agents, name: string): Agent {
  const agent = findAgent(agents, name);
  if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${name}" in this version.`);
  return agent;
}

/** Looks up a tool by a name that a model chose; as for agents, only own properties count. */
export const findTool = (tools: Record<string, Tool>, name: string): Tool | undefined =>
  Object.hasOwn(tools, name) ? tools[name] : undefined;
