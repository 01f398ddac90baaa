import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { agentQueue, taskIdOf } from '../../contract/ids.ts';
import type { WorkflowSurvey, Workflows } from '../../contract/ports/index.ts';
import { createPace } from './pace.ts';

/** Requests for lists: the namespace of a hosted Temporal has a limit, which running tasks need. */
const listPace = { perS: 4, burst: 8 };
/** Requests about single workflows: only those that a list does not show as running. */
const describePace = { perS: 25, burst: 50 };
/** Workflows a page of Temporal's list. */
const pageSize = 1_000;
/** A worker polls at least once a minute. */
const pollerMs = 90_000;

/** What the sweep asks of Temporal about many workflows, at a low steady rate. */
export const createWorkflowSurvey = (
  client: Client,
  { describe, cancelTask }: Pick<Workflows, 'cancelTask' | 'describe'>,
  pace = createPace(listPace),
  paceOne = createPace(describePace),
): WorkflowSurvey => {
  const { namespace } = client.options;

  async function* list(query: string, signal: AbortSignal): AsyncIterable<string[]> {
    let nextPageToken: Uint8Array | undefined;
    do {
      await pace(signal);
      const page = await client.workflowService.listWorkflowExecutions({
        namespace,
        query,
        pageSize,
        ...(nextPageToken ? { nextPageToken } : {}),
      });
      yield page.executions.map(({ execution }) => execution?.workflowId ?? '');
      nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
    } while (nextPageToken);
  }

  return {
    async runningAmong(workflowIds, signal) {
      if (workflowIds.length === 0) return new Set();
      const ids = workflowIds.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ');
      const running = new Set<string>();
      for await (const page of list(`ExecutionStatus = 'Running' AND WorkflowId IN (${ids})`, signal))
        for (const id of page) running.add(id);
      return running;
    },

    async *runningTasks({ startedAfter }, signal) {
      const since = startedAfter ? ` AND StartTime > '${startedAfter.toISOString()}'` : '';
      const query = `WorkflowType = 'agentTaskWorkflow' AND ExecutionStatus = 'Running'${since}`;
      for await (const page of list(query, signal)) yield page.flatMap((id) => taskIdOf(id) ?? []);
    },

    async describe(workflowId, signal) {
      await paceOne(signal);
      return describe(workflowId);
    },

    async cancelTask(taskId, signal) {
      await paceOne(signal);
      await cancelTask(taskId);
    },

    async isServed(agent, signal) {
      await pace(signal);
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: agentQueue(agent) },
        taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
      });
      const since = Date.now() - pollerMs;
      return pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
    },
  };
};
