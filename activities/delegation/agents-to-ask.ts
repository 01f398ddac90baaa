import type { Agent, Agents } from '../../agents/index.ts';
import type { Delegations, Tasks, Tool } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import { mayUseAgent } from '../../contract/rules/agent-rights.ts';

export type AgentsToAskDeps = {
  agents: Agents;
  tasks: Pick<Tasks, 'getCurrentRoles'>;
  delegations: Pick<Delegations, 'listChain'>;
  agentRolesOf(agent: string): readonly string[] | undefined;
};

/** The names of the agents that the owner of a task may use at this moment. Others do not exist for it. */
export async function usableAgents(
  { agents, tasks, agentRolesOf }: Omit<AgentsToAskDeps, 'delegations'>,
  task: TaskRef,
): Promise<string[]> {
  const roles = await tasks.getCurrentRoles(task);
  return Object.keys(agents).filter((name) => mayUseAgent(roles, agentRolesOf(name)));
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
  const choices = names.flatMap((name) => {
    const agent = deps.agents[name];
    return agent ? [{ name, agent }] : [];
  });
  return { ...others, delegate: nameAgentsToAsk(delegate, choices) };
}

type Choice = { name: string; agent: Pick<Agent, 'description' | 'examples'> };

/** The tool `delegate` with the agents that it may ask, and what each is there for. */
export function nameAgentsToAsk(delegate: Tool, choices: Choice[]): Tool {
  const { properties = {} } = delegate.inputSchema as { properties?: Record<string, object> };
  const agent = {
    description: 'The agent to ask',
    anyOf: choices.map((choice) => ({ const: choice.name, description: describe(choice.agent) })),
  };
  const inputSchema = { ...delegate.inputSchema, properties: { ...properties, agent } } as Tool['inputSchema'];
  return { ...delegate, inputSchema };
}

const describe = ({ description, examples = [] }: Choice['agent']): string =>
  examples.length > 0 ? `${description} For example: ${examples.join(' | ')}` : description;
