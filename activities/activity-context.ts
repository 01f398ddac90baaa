import { AsyncLocalStorage } from 'node:async_hooks';
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { findAgent, toolOfAgent, type Agent, type Agents } from '../agents/index.ts';
import { AlfredError, maxAttemptsOf, type ErrorCode } from '../contract/errors.ts';
import type { Run, Tenants, Tool } from '../contract/ports/index.ts';
import { describeUnavailability, isDatabaseError, isDatabaseUnavailable } from '../runtime/database/database-errors.ts';

/** The Temporal run that this activity works for. */
export const currentRun = (): Run => ({ runId: activityInfo().workflowExecution?.runId ?? '' });

/** What Temporal's page shows of a running activity: names and counts, no content. */
type Progress = Record<string, string | number>;
type Shown = { progress: Progress | undefined };
const shownProgress = new AsyncLocalStorage<Shown>();

/** Shows how far the activity is, with its next heartbeat. Does nothing outside `withHeartbeat`. */
export function showProgress(progress: Progress) {
  const shown = shownProgress.getStore();
  if (shown) shown.progress = progress;
}

/**
 * Runs work that may be silent for long, and heartbeats every second. So Temporal notices a dead worker, and a
 * cancellation arrives and aborts the work.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // A heartbeat without details would delete what the attempt before has left.
  const shown: Shown = { progress: activityInfo().heartbeatDetails as Progress | undefined };
  const timer = setInterval(() => heartbeat(shown.progress), 1_000);
  try {
    return await shownProgress.run(shown, () => work(cancellationSignal()));
  } finally {
    clearInterval(timer);
  }
}

/** Converts any error. An unknown one becomes `internal`, which keeps its text out of history. */
export function toAlfredError(error: unknown): AlfredError {
  if (error instanceof AlfredError) return error;
  if (isDatabaseUnavailable(error))
    return new AlfredError('database_unavailable', describeUnavailability(error), { cause: error });
  return new AlfredError('internal', undefined, { cause: error });
}

/**
 * How often a local activity is attempted that our database refuses: several minutes by its policy. The schema may be
 * about to be migrated, and without its last row writes a task would end.
 */
const refusedAttempts = 15;

/** Whether Temporal makes no further attempt at this activity after this error. */
export function isFinal(error: AlfredError): boolean {
  const { attempt, isLocal } = activityInfo();
  const isRefusal = error.code === 'internal' && isLocal && isDatabaseError(error.cause);
  return (error.failures ?? attempt) >= (isRefusal ? refusedAttempts : maxAttemptsOf(error.code));
}

/** Attempts at a step that meets an unavailable service, before the task waits. */
const attemptsBeforeWait = 3;
const services: Partial<Record<ErrorCode, 'database' | 'index'>> = {
  database_unavailable: 'database',
  index_unavailable: 'index',
};

/**
 * Runs a step of a task. When our database or index stays away, the failure is final and says in `details` what to wait
 * for: the task waits without attempts, and shows why.
 *
 * @param canWait whether the workflow knows this wait; one of an earlier version would fail
 */
export async function orWaitForService<T>(canWait: boolean | undefined, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const { code, message, cause } = toAlfredError(error);
    const service = services[code];
    if (!canWait || !service || cancellationSignal().aborted || activityInfo().attempt < attemptsBeforeWait)
      throw error;
    const because = message.replace(' Nothing was lost; repeat the request.', '');
    const details = { reason: 'service', service, because } as const;
    throw new AlfredError(code, message, { failures: Infinity, details, cause: cause ?? error });
  }
}

/**
 * Stops a task of a suspended tenant before its next call.
 *
 * @param canWait whether the workflow knows how to wait; one of an earlier version goes on
 * @throws AlfredError `tenant_suspended`, with `details`: what the task waits for
 */
export async function requireWorkingTenant(
  tenants: Pick<Tenants, 'find'>,
  tenant: string,
  canWait: boolean | undefined,
): Promise<void> {
  if (!canWait) return;
  const found = await tenants.find(tenant);
  if (found.state !== 'suspended') return;
  const because = `The tenant ${tenant} is suspended.${found.reason ? ` The reason: ${found.reason.replace(/\.?$/, '.')}` : ''}`;
  throw new AlfredError('tenant_suspended', because, { details: { reason: 'tenant', because } });
}

/**
 * Whether an activity was aborted because Temporal stopped waiting for this attempt: it heard nothing of it for too
 * long, or a person paused or reset the activity. The work itself was not cancelled.
 */
export const isAbandoned = ({ reason }: AbortSignal) =>
  reason instanceof Error && /^(NOT_FOUND|TIMED_OUT|PAUSED|RESET)$/.test(reason.message);

/** Whether an activity was aborted because its worker shuts down, and not because of a cancellation. */
export const isShutdown = ({ reason }: AbortSignal) => reason instanceof Error && reason.message === 'WORKER_SHUTDOWN';

/** For an agent whose users have a role that the owner of the work lacks, or has lost. */
export const agentNotYours = (name: string) =>
  new AlfredError('unknown_agent', `There is no agent "${name}" for the roles that you have now.`);

/** @throws AlfredError `unknown_agent` when this version has no such agent: the task may be older */
export function requireAgent(agents: Agents, name: string): Agent {
  const agent = findAgent(agents, name);
  if (!agent) throw new AlfredError('unknown_agent', `There is no agent "${name}" in this version.`);
  return agent;
}

type KnownTools = { agents: Agents; tools: Record<string, Tool> };

/** Looks up a tool by a name that a model of this agent chose. */
export const findTool = ({ agents, tools }: KnownTools, agent: string, name: string): Tool | undefined =>
  toolOfAgent(findAgent(agents, agent), tools, name);
