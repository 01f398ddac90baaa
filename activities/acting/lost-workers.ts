import { activityInfo } from '@temporalio/activity';
import type { Agents } from '../../agents/index.ts';
import { findAgent } from '../../agents/index.ts';
import { isRecord } from '../../contract/json.ts';
import type { Workflows } from '../../contract/ports/index.ts';
import type { Logger } from '../../runtime/logger.ts';
import { showProgress } from '../activity-context.ts';

/** A call that has ended so many workers is not made again: the tasks of other agents run there too. */
const mostLostWorkers = 2;

export type LostWorkerDeps = {
  agents: Agents;
  workflows: Pick<Workflows, 'hasLostWorker' | 'recordProgress'>;
  log: Pick<Logger, 'error'>;
};

/**
 * Counts the attempts at this activity that ended with their worker, for a tool that is the agent's own: code of others
 * may end the process that runs it. The count is with Temporal before the call is made, because this attempt may end
 * without a word too.
 *
 * @returns what to say in place of another attempt; undefined when the call may be made
 */
export async function refuseAfterLostWorkers(
  { agents, workflows, log }: LostWorkerDeps,
  { agent, taskId }: { agent: string; taskId: string },
  tool: string,
): Promise<string | undefined> {
  const { attempt, activityId, workflowExecution, taskToken } = activityInfo();
  const isOwn = Object.hasOwn(findAgent(agents, agent)?.ownTools ?? {}, tool);
  if (attempt === 1 || !isOwn || !workflowExecution) return undefined;
  const lostWorkers = countedBefore() + ((await workflows.hasLostWorker(workflowExecution, activityId)) ? 1 : 0);
  if (lostWorkers === 0) return undefined;
  showProgress({ lostWorkers });
  if (lostWorkers < mostLostWorkers) {
    await workflows.recordProgress(taskToken, { lostWorkers });
    return undefined;
  }
  log.error({ taskId, agent, tool, lostWorkers }, 'a tool has ended its workers and is not called again');
  return `The process of the worker ended, or hung, ${lostWorkers} times while ${tool} ran, so the call is not made again.`;
}

function countedBefore(): number {
  const details: unknown = activityInfo().heartbeatDetails;
  const counted = isRecord(details) ? details.lostWorkers : undefined;
  return typeof counted === 'number' ? counted : 0;
}
