import type { Tool } from '../contract/ports/index.ts';
import type { Agent } from './agent.ts';
import { alfred } from './alfred/agent.ts';
import { assistant } from './assistant/agent.ts';
import { financial } from './financial/agent.ts';
import { knowledge } from './knowledge/agent.ts';
import { legal } from './legal/agent.ts';
import { socialIntel } from './social-intel/agent.ts';

export type { Agent } from './agent.ts';

/** The registry: every agent by its name. */
export const agents: Readonly<Record<string, Agent>> = {
  knowledge,
  assistant,
  alfred,
  financial,
  legal,
  'social-intel': socialIntel,
};
export type Agents = Readonly<Record<string, Agent>>;

/**
 * Looks up an agent by a name that a caller chose. Only own properties count: `constructor` and `toString` are
 * properties of every object, and no agents.
 */
export const findAgent = (registry: Agents, name: string): Agent | undefined =>
  Object.hasOwn(registry, name) ? registry[name] : undefined;

/** A tool by the name that an agent's model uses: one of the agent's own, else one of those that agents share. */
export const toolOfAgent = (
  agent: Pick<Agent, 'ownTools'> | undefined,
  shared: Readonly<Record<string, Tool>>,
  name: string,
): Tool | undefined => {
  const { ownTools = {} } = agent ?? {};
  if (Object.hasOwn(ownTools, name)) return ownTools[name];
  return Object.hasOwn(shared, name) ? shared[name] : undefined;
};
