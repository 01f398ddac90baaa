import { findAgent, type Agents } from '../../agents/index.ts';
import type { Delegations, Tasks, Tool } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import type { AgentSettingsDeps } from '../agent-settings.ts';
import { typedInputOf } from './typed-input.ts';

export type AgentsToAskDeps = AgentSettingsDeps & {
  agents: Agents;
  tasks: Pick<Tasks, 'getCurrentRoles'>;
  delegations: Pick<Delegations, 'listChain'>;
};

/** The names of the agents that the owner of a task may use at this moment. Others do not exist for it. */
export async function usableAgents(
  { agents, tasks, tenants, agentInTenant }: Omit<AgentsToAskDeps, 'delegations'>,
  task: TaskRef,
): Promise<string[]> {
  const roles = await tasks.getCurrentRoles(task);
  const { agents: own } = await tenants.find(task.tenant);
  return Object.keys(agents).filter((name) => agentInTenant(name, own.get(name)).mayBeUsedWith(roles));
}

/**
 * The tools with which a model is asked. `delegate` names the agents that the task may ask, and what each is there for;
 * with no agent to ask, it is left out.
 */
export async function withAgentsToAsk(
  deps: AgentsToAskDeps,
  task: TaskRef,
  tools: Record<string, Tool>,
): Promise<Record<string, Tool>> {
  const { delegate, ...others } = tools;
  if (!delegate) return tools;
  const chain = await deps.delegations.listChain(task);
  const names = (await usableAgents(deps, task)).filter((name) => !chain.includes(name));
  return names.length === 0 ? others : { ...others, delegate: naming(deps.agents, delegate, names) };
}

/** A conversation goes on with texts, so its agent takes plain ones. */
const takesText = (agents: Agents, name: string) => agents[name]?.input.safeParse({ text: 'Hello.' }).success === true;

/** The agents that can take the conversation of a task over. None when nothing comes after the task. */
export async function agentsToHandOver(
  deps: Omit<AgentsToAskDeps, 'delegations'> & { tasks: Pick<Tasks, 'get'> },
  task: TaskRef,
): Promise<string[]> {
  const row = await deps.tasks.get(task, task.taskId);
  if (!row?.conversationId) return [];
  return (await usableAgents(deps, task)).filter((name) => name !== task.agent && takesText(deps.agents, name));
}

/** The tools with the agents that `hand_over` may name; without any it is left out. */
export function withHeirs(agents: Agents, tools: Record<string, Tool>, heirs: string[]): Record<string, Tool> {
  const { hand_over: handOver, ...others } = tools;
  return handOver && heirs.length > 0 ? { ...others, hand_over: naming(agents, handOver, heirs) } : others;
}

/** A tool whose argument `agent` is one of these, with what each is there for. */
export function naming(agents: Agents, tool: Tool, names: string[]): Tool {
  const { properties = {} } = tool.inputSchema as { properties?: Record<string, object> };
  const agent = {
    ...properties.agent,
    anyOf: names.map((name) => ({ const: name, description: describe(agents, name) })),
  };
  const inputSchema = { ...tool.inputSchema, properties: { ...properties, agent } } as Tool['inputSchema'];
  return { ...tool, inputSchema };
}

function describe(agents: Agents, name: string): string {
  const agent = findAgent(agents, name);
  if (!agent) return '';
  const { description, examples = [] } = agent;
  const schema = typedInputOf(agent);
  return [
    description,
    ...(examples.length > 0 ? [`For example: ${examples.join(' | ')}`] : []),
    ...(schema ? [`Its \`input\` fits this JSON Schema: ${JSON.stringify(schema)}`] : []),
  ].join(' ');
}
