import { createAdapters } from '../../../wiring/adapters.ts';
import { agents, type Agent, type Agents } from '../../../agents/index.ts';
import { createTools } from '../../../agents/tools/index.ts';
import { toolNames } from '../../../agents/tools/tool-names.ts';
import type { Tool } from '../../../contract/ports/index.ts';
import { agentQueue, systemQueue } from '../../../contract/ids.ts';
import type { TaskRequest } from '../../../contract/task.ts';
import type { Config } from '../../../runtime/config.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { startWorkers } from '../../../workers/compose.ts';
import { createTestEnvironment } from '../environment/environment.ts';
import { createScriptedModel } from '../providers/scripted-model.ts';
import { followTask, scope, startTask } from './tasks.ts';

export { scope };

/** Workers for tasks of the agent `knowledge`, on real servers, with a scripted model and scripted tools. */
export async function createTaskHarness(
  overrides: { [Name in keyof Config]?: string } = {},
  registry: { agents?: Agents; queues?: string[] } = {},
) {
  const { queues = [agentQueue('knowledge')], ...registered } = registry;
  let served = [...queues];
  const env = await createTestEnvironment({
    ALFRED_MODEL: 'scripted:test',
    ALFRED_SHUTDOWN_GRACE_S: '0',
    ...overrides,
  });
  const metrics = createMetrics();
  const adapters = createAdapters({ ...env, metrics });
  let model = createScriptedModel([]);
  const tools: Record<string, Tool> = {};
  // The agent may call each tool that a test adds, and each tool that an approval rule names.
  const toolsOfRules = env.config.ALFRED_AGENTS?.['knowledge']?.approvals?.map(({ tool }) => tool) ?? [];
  const offeredTools = [...(agents['knowledge'] as Agent).tools, ...toolsOfRules.filter((tool) => tool !== '*')];
  const named = [...toolsOfRules, ...Object.values(registered.agents ?? {}).flatMap((agent) => agent.tools)];
  // The workers start before a test adds its tools, and want every tool that an agent names.
  for (const name of named.filter((tool) => tool !== '*' && !toolNames.includes(tool)))
    tools[name] = { name, description: '', inputSchema: {}, run: () => Promise.reject(new Error(`no tool ${name}`)) };
  const knowledge = { ...(agents['knowledge'] as Agent), tools: offeredTools };
  /** The tools with effects that a test has added and no approval rule names. Workers start with them on a restart. */
  const unguarded = () =>
    Object.values(tools)
      .filter(({ name, effect, approvals }) => effect === 'write' && !approvals && !toolsOfRules.includes(name))
      .map(({ name }) => name)
      .filter((name) => offeredTools.includes(name) && !toolsOfRules.includes('*'));
  const start = () =>
    startWorkers(
      { ...env, metrics },
      {
        ...adapters,
        providers: {
          ...adapters.providers,
          scripted: {
            name: 'scripted',
            stream: (...args) => model.provider.stream(...args),
          },
        },
        tools,
      },
      [...new Set([...served, systemQueue])],
      { agents: { ...agents, knowledge: { ...knowledge, withoutApproval: unguarded() } }, ...registered },
    );
  let workers = await start();

  return {
    ...env,
    ...adapters,
    tools,
    metrics,
    scope,
    /** Replaces the model's script. @returns the requests that the model receives, a list that grows */
    script(turns: Parameters<typeof createScriptedModel>[0]) {
      model = createScriptedModel(turns);
      return model.requests;
    },
    /** Adds a tool. @param more further properties, for example `effect` */
    tool(name: string, run: Tool['run'], more: Partial<Tool> = {}) {
      tools[name] = { name, description: name, inputSchema: { type: 'object' }, ...more, run };
      if (!offeredTools.includes(name)) offeredTools.push(name);
    },
    /** Adds one of the product's own tools. */
    useBuiltInTool(name: string) {
      const tool = createTools(env.config, adapters)[name];
      if (!tool) throw new Error(`no tool ${name}`);
      tools[name] = tool;
    },
    start: (request: Partial<TaskRequest> = {}) =>
      startTask({ client: env.client, tasks: adapters.tasks }, 'What?', request),
    /** Restarts the workers with empty caches, as a deploy does. @param between runs while there are none */
    async restartWorkers(between?: () => Promise<unknown>) {
      await workers.stop();
      await between?.();
      workers = await start();
    },
    /** Restarts the workers for these queues. */
    async serve(now: string[]) {
      served = now;
      await workers.stop();
      workers = await start();
    },
    /** The task's events up to and including its last one. */
    followToEnd: (id: string) => followTask(adapters.events, id, 30_000),
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
