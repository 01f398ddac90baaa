import type { Agent } from './agent.ts';
import { assistant } from './assistant/agent.ts';
import { knowledge } from './knowledge/agent.ts';

export type { Agent } from './agent.ts';

/** The registry: every agent by its name. */
export const agents: Readonly<Record<string, Agent>> = { knowledge, assistant };
export type Agents = typeof agents;
