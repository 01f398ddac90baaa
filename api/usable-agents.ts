import type { Agents } from '../agents/index.ts';
import type { Principal } from '../contract/principal.ts';
import { mayUseAgent } from '../contract/rules/agent-rights.ts';
import { agentSettings } from '../runtime/agent-settings.ts';
import type { ApiDeps } from './deps.ts';

/** The agents that a principal may use. The others do not exist for it: every answer is as if they were not there. */
export const usableAgents = (
  { agents, config }: Pick<ApiDeps, 'agents' | 'config'>,
  { roles }: Pick<Principal, 'roles'>,
): Agents =>
  Object.fromEntries(Object.entries(agents).filter(([name]) => mayUseAgent(roles, agentSettings(config, name).roles)));
