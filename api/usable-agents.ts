import type { Agents } from '../agents/index.ts';
import type { Principal } from '../contract/principal.ts';
import { agentInTenant } from '../runtime/agent-in-tenant.ts';
import type { ApiDeps } from './deps.ts';

type Deps = Pick<ApiDeps, 'agents' | 'config' | 'tenants'>;

/** The agents that a principal may use. The others do not exist for it: every answer is as if they were not there. */
export async function usableAgents(
  { agents, config, tenants }: Deps,
  { tenant, roles }: Pick<Principal, 'tenant' | 'roles'>,
): Promise<Agents> {
  const { agents: own } = await tenants.find(tenant);
  return Object.fromEntries(
    Object.entries(agents).filter(([name]) => agentInTenant(config, name, own.get(name)).mayBeUsedWith(roles)),
  );
}
