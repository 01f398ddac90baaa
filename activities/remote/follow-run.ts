import { setTimeout as sleep } from 'node:timers/promises';
import { AlfredError } from '../../contract/errors.ts';
import type { RemoteRef, RemoteRun, RemoteState } from '../../contract/ports/index.ts';
import type { StepResult } from '../../contract/references.ts';
import { toAlfredError } from '../activity-context.ts';
import { untilStored } from '../until-stored.ts';
import {
  endOf,
  fail,
  findAnswer,
  mostOf,
  remoteOf,
  settle,
  showState,
  type RemoteDeps,
  type RemoteTask,
} from './remote-call.ts';

/** From one look at a run to the next, in milliseconds. */
const pollMs = { first: 500, longest: 15_000 };
/** An agent that cannot be asked for so long is given up, in milliseconds. */
const unreachableMs = 30 * 60_000;
/** Duration of one activity, in milliseconds. The next one goes on. */
const activityMs = 6 * 3_600_000;
/** So many interim reports of a run are shown. */
const maxReports = 200;

type Following = RemoteTask & { run: RemoteRun & RemoteRef };
type Open = Extract<RemoteState, { state: 'working' }>;

/** Follows a run to its end. @returns undefined when it goes on, and another activity is to follow it */
export async function followRun(
  deps: RemoteDeps,
  made: RemoteTask,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { task } = made;
  const answer = await findAnswer(deps, task);
  if (answer) return answer;
  const stored = await deps.remoteRuns.find(task);
  if (stored?.remoteId === undefined || stored.state !== 'running')
    throw new AlfredError('remote_failed', `The run of ${task.agent} has ended already.`);
  const following = { ...made, run: { ...stored, remoteId: stored.remoteId } };
  const endLease = deps.leases.hold(stored.callId);
  try {
    return await watchToEnd(deps, following, signal);
  } finally {
    endLease();
  }
}

async function watchToEnd(
  deps: RemoteDeps,
  following: Following,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { task, run } = following;
  const stopAt = performance.now() + activityMs;
  const report = createReporter(deps, following);
  let waitMs = pollMs.first;
  let silentSince: number | undefined;
  while (performance.now() < stopAt) {
    let askAgainMs = waitMs;
    try {
      for await (const state of deps.remoteAgents.watch(task.agent, run, signal)) {
        silentSince = undefined;
        if (state.state !== 'working') return await end(deps, following, state, signal);
        if (await report(state)) waitMs = pollMs.first;
      }
    } catch (error) {
      signal.throwIfAborted();
      silentSince ??= performance.now();
      const silentMs = performance.now() - silentSince;
      askAgainMs = await retryMs(deps, following, { error, silentMs, waitMs, signal });
    }
    await sleep(askAgainMs, undefined, { signal });
    waitMs = Math.min(waitMs * 1.5, pollMs.longest);
  }
  return undefined;
}

/** @returns when to ask again @throws what ends the run */
async function retryMs(
  deps: RemoteDeps,
  { task, run }: Following,
  { error, silentMs, waitMs, signal }: { error: unknown; silentMs: number; waitMs: number; signal: AbortSignal },
): Promise<number> {
  const failure = toAlfredError(error);
  const failed = { task, run, usage: mostOf(remoteOf(deps, task)), signal };
  if (failure.code === 'remote_failed') throw await fail(deps, failed, failure);
  // A secret may have been changed on both sides, one after the other: the run is paid, so there is time for that.
  const isPassing = failure.code === 'remote_unavailable' || failure.code === 'remote_refused';
  if (!isPassing) throw failure;
  if (silentMs > unreachableMs) throw await fail(deps, failed, failure);
  return Math.max(failure.retryAfterMs ?? 0, waitMs);
}

async function end(
  deps: RemoteDeps,
  following: Following,
  state: Exclude<RemoteState, Open>,
  signal: AbortSignal,
): Promise<StepResult> {
  const { task, run } = following;
  if (state.state !== 'failed') {
    if (state.state === 'asks') await showState(deps, task, 'asks');
    return untilStored(() => settle(deps, following, run, state), signal);
  }
  await showState(deps, task, state.how === 'cancelled' ? 'cancelled' : 'failed', state.message);
  throw await fail(deps, { task, run, usage: mostOf(remoteOf(deps, task)), signal }, endOf(task.agent, state));
}

/** Shows each interim report once. @returns whether there was something new */
function createReporter(deps: RemoteDeps, { task }: Following) {
  let last: string | undefined;
  let shown = 0;
  return async ({ progress }: Open): Promise<boolean> => {
    if (progress === undefined || progress === last) return false;
    last = progress;
    if (shown++ < maxReports) await showState(deps, task, 'working', progress);
    return true;
  };
}
