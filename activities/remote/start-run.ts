import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as newId } from 'uuid';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import { noUsage, type StepResult, type TaskRef } from '../../contract/references.ts';
import type { RemoteRun, RemoteState } from '../../contract/ports/index.ts';
import { currentRun } from '../activity-context.ts';
import { waitForEarlierAttempts } from '../model/earlier-attempts.ts';
import { untilStored } from '../until-stored.ts';
import {
  callOf,
  endOf,
  fail,
  findAnswer,
  findAgain,
  mostOf,
  remoteOf,
  requestOf,
  settle,
  showState,
  step,
  type RemoteDeps,
  type RemoteTask,
} from './remote-call.ts';

/** How often, and how long between, a run whose answer got lost is looked for. */
const searches = { times: 4, pauseMs: 1_500 };

/** What has become of a request: the run goes on there, or the step has its result. */
export type Started = StepResult | { next: 'follow' };

/**
 * Begins the run of a task, once. The row of the run comes before the request, and says afterwards whether the request
 * may have been sent.
 *
 * @throws AlfredError `budget_exceeded` with `details` before anything is sent; `effect_unknown` when the request was
 *   sent by an attempt before and it is not known what became of it
 */
export async function startRun(deps: RemoteDeps, made: RemoteTask, signal: AbortSignal): Promise<Started> {
  const { task } = made;
  const { url } = remoteOf(deps, task);
  const answer = await findAnswer(deps, task);
  if (answer) return answer;
  const run = await deps.remoteRuns.begin(task, currentRun(), { callId: newId(), url });
  if (run.url !== url)
    throw new AlfredError(
      'remote_failed',
      `The remote agent ${task.agent} has another address in ALFRED_REMOTE_AGENTS than when this task began.`,
    );
  if (run.state === 'running') return { next: 'follow' };
  if (run.state === 'ended') throw new AlfredError('remote_failed', `The run of ${task.agent} has ended already.`);
  if (run.state === 'sending') return findLost(deps, made, run, signal);
  const before = await reserve(deps, made, run, signal);
  if (before) return before;
  return send(deps, made, run, signal);
}

/** Charges the most that the run may cost. @returns the stored answer when there is one */
async function reserve(
  deps: RemoteDeps,
  { task }: RemoteTask,
  run: RemoteRun,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const remote = remoteOf(deps, task);
  const dayLimits = await deps.dayLimitsOf(task);
  let replaces: string[] = [];
  while (true) {
    signal.throwIfAborted();
    const begun = await deps.ledger.beginModelCall(task, {
      ...callOf(task, remote, run),
      ...currentRun(),
      replaces,
      worstCase: mostOf(remote),
      dayLimits,
    });
    if (begun !== 'running') return begun?.turn;
    const gone = await waitForEarlierAttempts(deps, { task, at: { step }, purpose: 'turn' }, signal);
    // Charged by a worker that ended before it sent anything.
    if (gone.includes(run.callId)) return undefined;
    replaces = gone;
  }
}

async function send(deps: RemoteDeps, made: RemoteTask, run: RemoteRun, signal: AbortSignal): Promise<Started> {
  const { task } = made;
  const request = await requestOf(deps, made, run.url);
  const endLease = deps.leases.hold(run.callId);
  try {
    signal.throwIfAborted();
    if (await deps.remoteRuns.markSending(task, run.callId)) {
      const sent = { ...run, sentAt: new Date() };
      let state: RemoteState;
      try {
        state = await deps.remoteAgents.start(task.agent, request, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw await failedStart(deps, { task, run: sent, signal }, error);
      }
      return await take(deps, made, { run: sent, state }, signal);
    }
  } finally {
    endLease();
  }
  // Another attempt was first: it is looked at, not repeated, and without the lease that it would be taken to hold.
  return startRun(deps, made, signal);
}

/** What a request without an answer leaves behind: nothing, or a run that may have begun. */
async function failedStart(
  deps: RemoteDeps,
  { task, run, signal }: { task: TaskRef; run: RemoteRun; signal: AbortSignal },
  error: unknown,
): Promise<AlfredError> {
  // The row still says that the request was sent: the next attempt looks for the run.
  if (!(error instanceof AlfredError) || error.code === 'effect_unknown') {
    const { message, cause = error } = error instanceof AlfredError ? error : { cause: error };
    return new AlfredError('effect_unknown', message, { failures: findAgain, retryAfterMs: searches.pauseMs, cause });
  }
  const isUnused = error.code === 'remote_unavailable' || error.code === 'remote_refused';
  const usage = isUnused ? noUsage : mostOf(remoteOf(deps, task));
  return fail(deps, { task, run, usage, mayRetry: error.code === 'remote_unavailable', signal }, error);
}

/** Looks for a run that an attempt before may have begun. One that is not found begins again only where allowed. */
async function findLost(deps: RemoteDeps, made: RemoteTask, run: RemoteRun, signal: AbortSignal): Promise<Started> {
  const { task } = made;
  await waitForEarlierAttempts(deps, { task, at: { step }, purpose: 'turn' }, signal);
  const current = await deps.remoteRuns.find(task);
  // The attempt before was only slow.
  if (!current || current.state !== 'sending') return startRun(deps, made, signal);
  const endLease = deps.leases.hold(run.callId);
  try {
    const request = { ...(await requestOf(deps, made, run.url)), since: run.sentAt ?? new Date(0) };
    for (let i = 0; i < searches.times; i++) {
      const state = await deps.remoteAgents.find(task.agent, request, signal);
      if (state === 'impossible') break;
      if (state) return await take(deps, made, { run, state }, signal);
      await sleep(searches.pauseMs, undefined, { signal });
    }
  } finally {
    endLease();
  }
  const remote = remoteOf(deps, task);
  const lost = (await deps.ledger.countFailures(task, { step, purpose: 'turn' }, 'effect_unknown')) + 1;
  const mayRetry = remote.repeatable && lost < maxAttemptsOf('effect_unknown');
  const unknown = new AlfredError('effect_unknown', unknownMessage(task.agent));
  const failure = await fail(deps, { task, run, usage: mostOf(remote), mayRetry, signal }, unknown);
  if (!mayRetry) throw failure;
  deps.log.warn({ taskId: task.taskId, agent: task.agent }, 'a lost request to a remote agent is sent again');
  return startRun(deps, made, signal);
}

const unknownMessage = (agent: string) =>
  `The request to the remote agent ${agent} was sent and its answer got lost: it is not known whether it works on it. It was not sent again, because that could cost and act twice. Ask again if that does no harm, or let the operator set \`repeatable\`.`;

/** Stores what an agent has answered to a request. */
async function take(
  deps: RemoteDeps,
  made: RemoteTask,
  { run, state }: { run: RemoteRun; state: RemoteState },
  signal: AbortSignal,
): Promise<Started> {
  const { task } = made;
  if (state.state === 'answered' || state.state === 'asks')
    return untilStored(() => settle(deps, made, run, state), signal);
  if (state.state === 'failed') {
    await showState(deps, task, 'failed', state.message);
    throw await fail(deps, { task, run, usage: mostOf(remoteOf(deps, task)), signal }, endOf(task.agent, state));
  }
  if (!(await untilStored(() => deps.remoteRuns.markRunning(task, run.callId, state), signal)))
    throw new AlfredError('effect_unknown', 'Another attempt was first.', { failures: findAgain });
  await showState(deps, task, 'started');
  deps.log.info({ taskId: task.taskId, agent: task.agent }, 'a remote agent works on a task');
  return { next: 'follow' };
}
