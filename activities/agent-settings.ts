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
