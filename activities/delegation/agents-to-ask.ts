import type { Agents } from '../../agents/index.ts';
import type { Delegations, Tasks, Tool } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import type { AgentSettingsDeps } from '../agent-settings.ts';

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
  if (names.length === 0) return others;
  const { properties = {} } = delegate.inputSchema as { properties?: Record<string, object> };
  const agent = {
    description: 'The agent to ask',
    anyOf: names.map((name) => ({ const: name, description: describe(deps.agents, name) })),
  };
  const inputSchema = { ...delegate.inputSchema, properties: { ...properties, agent } } as Tool['inputSchema'];
  return { ...others, delegate: { ...delegate, inputSchema } };
}

function describe(agents: Agents, name: string): string {
  const { description = '', examples = [] } = agents[name] ?? {};
  return examples.length > 0 ? `${description} For example: ${examples.join(' | ')}` : description;
}
