import type { Client } from '@temporalio/client';
import type { TaskEvents, Tasks } from '../../../contract/ports/index.ts';
import type { TaskEvent } from '../../../contract/events.ts';
import { taskStartOptions } from '../../../contract/task-start.ts';
import type { TaskRequest } from '../../../contract/task.ts';
import type { agentTaskWorkflow } from '../../../workflows/agent-task/workflow.ts';

/** The tenant and subject of all requests while there is no sign-in. */
export const scope = { tenant: 'local', subject: 'local' };

/** Starts a task of the agent `knowledge` as the API does. */
export async function startTask(
  { client, tasks }: { client: Client; tasks: Pick<Tasks, 'create'> },
  text: string,
  request: Partial<TaskRequest> = {},
) {
  const { id, agent, head } = await tasks.create(scope, { agent: 'knowledge', input: { text }, ...request }, {});
  const handle = await client.workflow.start<typeof agentTaskWorkflow>(
    'agentTaskWorkflow',
    taskStartOptions({ taskId: id, agent, head, ...scope }, {}),
  );
  return { id, handle };
}

/** A task's events up to and including its last one; after `withinMs`, those so far. */
export async function followTask(
  events: Pick<TaskEvents, 'follow'>,
  id: string,
  withinMs: number,
): Promise<TaskEvent[]> {
  const all: TaskEvent[] = [];
  for await (const page of events.follow(scope, id, 0, AbortSignal.timeout(withinMs))) all.push(...page);
  return all;
}
