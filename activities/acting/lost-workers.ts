import { activityInfo, heartbeat } from '@temporalio/activity';
import type { Agents } from '../../agents/index.ts';
import { findAgent } from '../../agents/index.ts';
import { isRecord } from '../../contract/json.ts';
import type { Workflows } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { showProgress } from '../activity-context.ts';
import type { Turns } from './turns.ts';

/** A call that has ended so many workers while nothing of others ran beside it is not made again. */
const mostLostAlone = 2;

export type LostWorkerDeps = {
  agents: Agents;
  workflows: Pick<Workflows, 'howAttemptEnded' | 'recordProgress'>;
  callTurns: Turns;
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
};

type Guarded = { task: { agent: string; taskId: string }; tool: string; signal: AbortSignal };

/**
 * Makes a call of a tool that is the agent's own: code of others may end the process that runs it. Temporal says of the
 * attempt before only that its worker fell silent, and it says that of all calls that ran there. So from then on such a
 * call runs alone, and only ends of workers in which it did count against it. The count is with Temporal before the
 * call is made, because this attempt may end without a word too.
 *
 * @param call gets why the call must not be made, when it must not
 * @throws AlfredError `temporal_unavailable`; nothing was called
 */
export async function guardWorker<T>(
  deps: LostWorkerDeps,
  { task, tool, signal }: Guarded,
  call: (lost: LostWorkers | undefined) => Promise<T>,
): Promise<T> {
  const { callTurns, workflows, log } = deps;
  const { attempt, taskToken, workflowExecution } = activityInfo();
  const isOwn = Object.hasOwn(findAgent(deps.agents, task.agent)?.ownTools ?? {}, tool);
  if (!isOwn || !workflowExecution) return call(undefined);
  const count = await countAttempts(workflows);
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
  const end = await callTurns.take(isSuspect === 1, signal);
  try {
    showProgress({ ...count, runsIn: attempt });
    if (lostWorkers > 0) {
      log.warn({ ...ids, isAlone: isSuspect === 1 }, 'a call is made again whose worker ended, or hung');
      // An earlier count that the SDK holds back must not follow the one that is recorded.
      heartbeat({ ...count, runsIn: attempt });
      await workflows.recordProgress(taskToken, { ...count, runsIn: attempt });
    }
    return await call(lost);
  } finally {
    showProgress({ ...count, runsIn: 0 });
    end();
  }
}

async function countAttempts(workflows: LostWorkerDeps['workflows']): Promise<Count> {
  const { attempt, activityId, workflowExecution } = activityInfo();
  const before = countedBefore();
  if (attempt === 1 || !workflowExecution) return before;
  const ended = await workflows.howAttemptEnded(workflowExecution, activityId);
  const { lostWorkers, lostAlone, isSuspect, runsIn } = before;
  const ran = runsIn === attempt - 1;
  if (ended === 'silent' && !isSuspect) return { ...before, lostWorkers: lostWorkers + 1, isSuspect: 1 };
  // It ended while the call waited for its turn, or our database kept the attempt until the end of its time.
  if (ended === 'otherwise' || !ran) return before;
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
  };
}
