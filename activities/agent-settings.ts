import type { OwnAgent } from '../contract/agent-settings.ts';
import type { Tenants } from '../contract/ports/index.ts';
import type { AgentInTenant } from '../runtime/agent-in-tenant.ts';

export type AgentSettingsDeps = {
  tenants: Pick<Tenants, 'find'>;
  /** What holds for an agent in a tenant. @param own what the tenant has set; undefined: nothing */
  agentInTenant: (agent: string, own: OwnAgent | undefined) => AgentInTenant;
};

/** What holds for an agent in a tenant at this moment, for a task that begins now. */
export async function settingsNow(
  { tenants, agentInTenant }: AgentSettingsDeps,
  { tenant, agent }: { tenant: string; agent: string },
): Promise<AgentInTenant> {
  const { agents } = await tenants.find(tenant);
  return agentInTenant(agent, agents.get(agent));
}

export type ResultLengthDeps = {
  tenants: Pick<Tenants, 'find'>;
  /**
   * Characters of a result that the agent's models get at once; they read the rest with `read_result`.
   *
   * @param own what the tenant has set; undefined: nothing
   */
  resultCharactersOf: (agent: string, own: Pick<OwnAgent, 'model'> | undefined) => number;
};

/** Characters of a result that the models of an agent in a tenant get at once. */
export async function resultCharactersNow(
  { tenants, resultCharactersOf }: ResultLengthDeps,
  { tenant, agent }: { tenant: string; agent: string },
): Promise<number> {
  const { agents } = await tenants.find(tenant);
  return resultCharactersOf(agent, agents.get(agent));
}
