import type { Agent } from './agent.ts';
import { alfred } from './alfred/agent.ts';
import { assistant } from './assistant/agent.ts';
import { knowledge } from './knowledge/agent.ts';

export type { Agent } from './agent.ts';

/** The registry: every agent by its name. */
export const agents: Readonly<Record<string, Agent>> = { knowledge, assistant, alfred };
export type Agents = typeof agents;

/**
 * Looks up an agent by a name that a caller chose. Only own properties count: `constructor` and `toString` are
 * properties of every object, and no agents.
 */
export const findAgent = (registry: Agents, name: string): Agent | undefined =>
  Object.hasOwn(registry, name) ? registry[name] : undefined;
