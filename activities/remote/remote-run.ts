import { AlfredError } from '../../contract/errors.ts';
import { noUsage, type StepResult } from '../../contract/references.ts';
import type { RemoteRun } from '../../contract/ports/index.ts';
import { orWaitForService, requireWorkingTenant, toAlfredError, withHeartbeat } from '../activity-context.ts';
import { followRun } from './follow-run.ts';
import { fail, mostOf, remoteOf, requestOf, showState, type RemoteDeps, type RemoteTask } from './remote-call.ts';
import { startRun, type Started } from './start-run.ts';

export type { RemoteDeps };

type Made = RemoteTask & { canWait?: boolean | undefined };

/** The answers of agents that work elsewhere. Each is one call in the ledger: reserved before it, and paid once. */
export const createRemoteActivities = (deps: RemoteDeps) => ({
  /**
   * Asks a remote agent, once.
   *
   * @throws AlfredError `budget_exceeded` and `tenant_suspended` with `details`: the task can wait and ask again
   */
  startRemote: ({ canWait, ...made }: Made): Promise<Started> =>
    withHeartbeat((signal) =>
      orWaitForService(canWait, async () => {
        await requireWorkingTenant(deps.tenants, made.task.tenant, canWait);
        return startRun(deps, made, signal);
      }),
    ),

  /** Follows the run to its end. @returns undefined when it still goes on after hours */
  followRemote: ({ canWait, ...made }: Made): Promise<StepResult | undefined> =>
    withHeartbeat((signal) => orWaitForService(canWait, () => followRun(deps, made, signal))),

  /** Cancels what a task has begun elsewhere, where that is possible. Idempotent. */
  cancelRemote: (made: RemoteTask): Promise<void> =>
    withHeartbeat(async (signal) => {
      const { task } = made;
      const run = await deps.remoteRuns.find(task);
      if (!run || run.state === 'ended') return;
      const ended = run.state === 'begun' || (await cancelThere(deps, made, run, signal));
      if (!ended) await showState(deps, task, 'goes_on');
      const usage = run.state === 'begun' ? noUsage : mostOf(remoteOf(deps, task));
      await fail(deps, { task, run, usage, signal }, new AlfredError('cancelled', 'The task was cancelled.'));
      deps.log.info({ taskId: task.taskId, agent: task.agent, ended }, 'the run of a remote agent was cancelled');
    }),
});

/** @returns whether the run has ended there */
async function cancelThere(deps: RemoteDeps, made: RemoteTask, run: RemoteRun, signal: AbortSignal): Promise<boolean> {
  const { task } = made;
  try {
    const remoteId = run.remoteId ?? (await findId(deps, made, run, signal));
    return remoteId !== undefined && (await deps.remoteAgents.cancel(task.agent, { ...run, remoteId }, signal));
  } catch (error) {
    signal.throwIfAborted();
    const { code } = toAlfredError(error);
    deps.log.warn({ err: error, taskId: task.taskId, code }, 'the run of a remote agent could not be cancelled');
    return false;
  }
}

/** The id of a run that was begun, or not, when the task was cancelled. */
async function findId(deps: RemoteDeps, made: RemoteTask, run: RemoteRun, signal: AbortSignal) {
  const request = await requestOf(deps, made, run.url);
  const since = run.sentAt ?? new Date(0);
  const found = await deps.remoteAgents.find(made.task.agent, { ...request, since }, signal);
  return found === 'impossible' ? undefined : found?.remoteId;
}
