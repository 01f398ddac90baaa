import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { createAdapters } from '../../activities/adapters/index.ts';
import { agents, type Agent, type Agents } from '../../agents/index.ts';
import type { Tool } from '../../activities/ports.ts';
import { agentQueue, systemQueue, taskWorkflowId } from '../../contract/ids.ts';
import type { TaskEvent } from '../../contract/events.ts';
import type { TaskRequest } from '../../contract/task.ts';
import type { Config } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import type { agentTaskWorkflow } from '../../workflows/agent-task/workflow.ts';
import { createTestEnvironment } from './environment.ts';
import { createScriptedModel } from './scripted-model.ts';

export const scope = { tenant: 'local', subject: 'local' };
const tenantKey = defineSearchAttributeKey('AlfredTenant', SearchAttributeType.KEYWORD);

/** The agent-task room with its worker, a scripted model and scripted tools, on real servers. */
export async function createTaskHarness(
  overrides: { [Name in keyof Config]?: string } = {},
  registry: { agents?: Agents } = {},
) {
  const env = await createTestEnvironment({
    ALFRED_MODEL: 'scripted:test',
    ALFRED_SHUTDOWN_GRACE_S: '0',
    ...overrides,
  });
  const metrics = createMetrics();
  const adapters = createAdapters({ ...env, metrics });
  let model = createScriptedModel([]);
  const tools: Record<string, Tool> = {};
  // Whatever tool a test makes, the agent may call.
  const ruled = env.config.ALFRED_AGENTS?.['knowledge']?.approvals?.map(({ tool }) => tool) ?? [];
  const offered = [...(agents['knowledge'] as Agent).tools, ...ruled.filter((tool) => tool !== '*')];
  const knowledge = { ...(agents['knowledge'] as Agent), tools: offered };
  const start = () =>
    startWorkers(
      { ...env, metrics },
      {
        ...adapters,
        providers: {
          scripted: {
            name: 'scripted',
            stream: (...args) => model.provider.stream(...args),
          },
        },
        tools,
      },
      [agentQueue('knowledge'), systemQueue],
      { agents: { ...agents, knowledge }, ...registry },
    );
  let workers = await start();

  return {
    ...env,
    ...adapters,
    tools,
    metrics,
    scope,
    /** Replaces the model's script. @returns the requests it gets */
    script(turns: Parameters<typeof createScriptedModel>[0]) {
      model = createScriptedModel(turns);
      return model.requests;
    },
    /** @param more what makes it more than a tool that reads */
    tool(name: string, run: Tool['run'], more: Partial<Tool> = {}) {
      tools[name] = { name, description: name, inputSchema: { type: 'object' }, ...more, run };
      if (!offered.includes(name)) offered.push(name);
    },
    async start(request: Partial<TaskRequest> = {}) {
      const task = await adapters.tasks.create(scope, { agent: 'knowledge', input: { text: 'What?' }, ...request }, {});
      const handle = await env.client.workflow.start<typeof agentTaskWorkflow>('agentTaskWorkflow', {
        workflowId: taskWorkflowId(task.id),
        taskQueue: agentQueue('knowledge'),
        args: [{ taskId: task.id, agent: 'knowledge', head: task.head, ...scope }],
        workflowTaskTimeout: '5 s',
        typedSearchAttributes: [{ key: tenantKey, value: scope.tenant }],
      });
      return { id: task.id, handle };
    },
    /** As a deploy does: the workers stop, and new ones start with empty caches. @param between while there are none */
    async restartWorkers(between?: () => Promise<unknown>) {
      await workers.stop();
      await between?.();
      workers = await start();
    },
    /** The task's events up to and including its end. */
    async followed(id: string): Promise<TaskEvent[]> {
      const all: TaskEvent[] = [];
      for await (const page of adapters.events.follow(scope, id, 0, AbortSignal.timeout(30_000))) all.push(...page);
      return all;
    },
    async row(id: string) {
      const row = await adapters.tasks.get(scope, id);
      if (!row) throw new Error(`no task ${id}`);
      return row;
    },
    async close() {
      await workers.stop();
      await adapters.close();
      await env.close();
    },
  };
}
export type TaskHarness = Awaited<ReturnType<typeof createTaskHarness>>;
