import { activityInfo, heartbeat } from '@temporalio/activity';
import type { Agents } from '../../agents/index.ts';
import { findAgent } from '../../agents/index.ts';
import { isRecord } from '../../contract/json.ts';
import type { Workflows } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { showProgress } from '../activity-context.ts';
import { defaultTimeoutMs } from './run-effect.ts';
import type { Turns } from './turns.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A call that has ended so many workers while nothing of others ran beside it is not made again. */
const mostLostAlone = 2;
/** What an activity needs beside its call: it reads what to do before, and stores the result after it. */
const besideCallMs = 20_000;
const shortestWaitMs = 1_000;
/** After a longer wait for its turn the end of an attempt's time says nothing about the call. */
const longestFairWaitMs = 10_000;

export type LostWorkerDeps = {
  agents: Agents;
  workflows: Pick<Workflows, 'howAttemptEnded' | 'recordProgress'>;
  callTurns: Turns;
  workerProcess: WorkerProcess;
  log: Pick<Logger, 'error' | 'warn'>;
};

/** Why a call is not made again. */
export type LostWorkers = {
  why: string;
  /** What became of a call that was sent may still be asked. */
  mayAsk: boolean;
};

/** What the attempts so far leave for the next one, in the heartbeat of the activity. */
type Count = {
  /** Attempts that ended without a word, or at the end of their time. */
  lostWorkers: number;
  /** Those among them in which this call ran alone, or ran until the end of its time. */
  lostAlone: number;
  /** The process of a worker has ended, or hung: from then on the call runs alone. */
  isSuspect: 0 | 1;
  /** The attempt in which the call was under way when this was written. */
  runsIn: number;
  /** How long that attempt waited for its turn. */
  waitedMs: number;
  /** The process of that attempt. */
  process: number;
};

type Guarded = { task: { agent: string; taskId: string }; tool: string; signal: AbortSignal };

/**
 * Makes a call of a tool that is the agent's own: code of others may end the process that runs it. Temporal says of the
 * attempt before only that its worker fell silent, and it says that of all calls that ran there, also when Temporal
 * itself was away: a process that lives on has not ended. After an end such a call runs alone, and only ends of workers
 * in which it did count against it. The count is with Temporal before the call is made, because this attempt may end
 * without a word too.
 *
 * @param call gets why the call must not be made, when it must not
 * @throws AlfredError `temporal_unavailable`; nothing was called
 */
export async function guardWorker<T>(
  deps: LostWorkerDeps,
  { task, tool, signal }: Guarded,
  call: (lost: LostWorkers | undefined) => Promise<T>,
): Promise<T> {
  const { callTurns, workflows, workerProcess, log } = deps;
  const { attempt, taskToken, workflowExecution } = activityInfo();
  const { ownTools = {} } = findAgent(deps.agents, task.agent) ?? {};
  if (!Object.hasOwn(ownTools, tool) || !workflowExecution) return call(undefined);
  const count = { ...(await countAttempts(deps)), waitedMs: 0, process: workerProcess.id };
  const { lostWorkers, lostAlone, isSuspect } = count;
  const isRefused = lostAlone >= mostLostAlone;
  const ids = { taskId: task.taskId, agent: task.agent, tool, lostWorkers };
  if (isRefused) log.error(ids, 'a tool has ended its workers and is not called again');
  const lost: LostWorkers | undefined = isRefused
    ? {
        why: `The process of the worker ended, or hung, ${lostWorkers} times while ${tool} ran, so the call is not made again.`,
        mayAsk: lostAlone === mostLostAlone,
      }
    : undefined;
  if (lost && !lost.mayAsk) return call(lost);
  showProgress(count);
  const endWatch = workerProcess.watch(attemptKey(attempt));
  let end = () => {};
  try {
    const beganAt = performance.now();
    end = await callTurns.take(isSuspect === 1, signal, longestWaitMs(ownTools[tool]?.timeoutMs));
    const running = { ...count, runsIn: attempt, waitedMs: Math.round(performance.now() - beganAt) };
    showProgress(running);
    if (lostWorkers > 0) {
      log.warn({ ...ids, isAlone: isSuspect === 1 }, 'a call is made again whose worker ended, or hung');
      // An earlier count that the SDK holds back must not follow the one that is recorded.
      heartbeat(running);
      await workflows.recordProgress(taskToken, running);
    }
    return await call(lost);
  } finally {
    showProgress({ ...count, runsIn: 0 });
    end();
    endWatch();
  }
}

/** How long a call may wait for its turn, so that its own time is left. */
const longestWaitMs = (timeoutMs = defaultTimeoutMs) =>
  Math.max(shortestWaitMs, activityInfo().startToCloseTimeoutMs - timeoutMs - besideCallMs);

function attemptKey(attempt: number): string {
  const { workflowExecution, activityId } = activityInfo();
  return `${workflowExecution?.runId}/${activityId}/${attempt}`;
}

async function countAttempts({ workflows, workerProcess }: LostWorkerDeps): Promise<Count> {
  const { attempt, activityId, workflowExecution } = activityInfo();
  const before = countedBefore();
  if (attempt === 1 || !workflowExecution) return before;
  const ended = await workflows.howAttemptEnded(workflowExecution, activityId);
  const { lostWorkers, lostAlone, isSuspect, runsIn, waitedMs, process } = before;
  const ran = runsIn === attempt - 1;
  const livesOn = process === workerProcess.id && !workerProcess.stoodStill(attemptKey(attempt - 1));
  if (ended === 'silent' && livesOn) return before;
  if (ended === 'silent' && !isSuspect) return { ...before, lostWorkers: lostWorkers + 1, isSuspect: 1 };
  // It ended while the call waited for its turn, or our database kept the attempt until the end of its time.
  if (ended === 'otherwise' || !ran) return before;
  if (ended === 'out_of_time' && waitedMs > longestFairWaitMs) return before;
  return { ...before, lostWorkers: lostWorkers + 1, lostAlone: lostAlone + 1 };
}

function countedBefore(): Count {
  const details: unknown = activityInfo().heartbeatDetails;
  const read = (name: keyof Count) => {
    const value = isRecord(details) ? details[name] : undefined;
    return typeof value === 'number' ? value : 0;
  };
  return {
    lostWorkers: read('lostWorkers'),
    lostAlone: read('lostAlone'),
    isSuspect: read('isSuspect') === 1 ? 1 : 0,
    runsIn: read('runsIn'),
    waitedMs: read('waitedMs'),
    process: read('process'),
  };
}
