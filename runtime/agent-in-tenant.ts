import type { OwnAgent } from '../contract/agent-settings.ts';
import type { Tenants } from '../contract/ports/index.ts';
import type { BudgetLimits } from '../contract/references.ts';
import { mayUseAgent } from '../contract/rules/agent-rights.ts';
import { tightestLimits } from '../contract/rules/tightest-limits.ts';
import { agentSettings } from './agent-settings.ts';
import { defaultModelChain, type Config } from './config.ts';

type AgentConfig = Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY'>;

/** What holds for an agent in a tenant: a tenant narrows what the operator allows, and widens nothing. */
export type AgentInTenant = {
  /** Of the tenant's settings; null: it has none. */
  version: number | null;
  /** Limits of each task. */
  budget: BudgetLimits;
  isEnabled: boolean;
  /** Everybody may use it. */
  isForAll: boolean;
  mayBeUsedWith(roles: readonly string[]): boolean;
};

/** @param own what the tenant has set; undefined: nothing */
export function agentInTenant(config: AgentConfig, agent: string, own: OwnAgent | undefined): AgentInTenant {
  const { budget, roles: keptFor } = agentSettings(config, agent);
  const isEnabled = own?.enabled !== false;
  return {
    version: own?.version ?? null,
    budget: tightestLimits(budget, own?.budget ?? {}),
    isEnabled,
    isForAll: isEnabled && keptFor === undefined && own?.roles === undefined,
    mayBeUsedWith: (roles) => isEnabled && mayUseAgent(roles, keptFor) && mayUseAgent(roles, own?.roles),
  };
}

/** What holds for an agent in a tenant at this moment. */
export const readAgentInTenant = async (
  { config, tenants }: { config: AgentConfig; tenants: Pick<Tenants, 'find'> },
  tenant: string,
  agent: string,
): Promise<AgentInTenant> => agentInTenant(config, agent, (await tenants.find(tenant)).agents.get(agent));

type ModelConfig = AgentConfig & Pick<Config, 'ALFRED_MODELS'>;

/** The models that the operator names anywhere: tenants choose among these. */
export function namedModels(config: ModelConfig): string[] {
  const chains = [defaultModelChain(config), ...Object.values(config.ALFRED_AGENTS ?? {}).map(({ model }) => model)];
  const named = chains.flatMap((chain) => chain?.split(',') ?? []);
  const described = Object.keys(config.ALFRED_MODELS ?? {}).filter((name) => !name.endsWith('*'));
  return [...new Set([...named, ...described])].toSorted();
}

/**
 * The models of an agent in a tenant, in order. A model that the operator does not name any more is left out, and the
 * agent's own stand in when none is left.
 *
 * @param isUsable whether a model can be called
 */
export function modelsInTenant(
  config: ModelConfig,
  agent: string,
  { own, isUsable }: { own: Pick<OwnAgent, 'model'> | undefined; isUsable: (model: string) => boolean },
): [string, ...string[]] {
  const { model, fallbacks, onOutage } = agentSettings(config, agent);
  const named = new Set(own?.model === undefined ? [] : namedModels(config));
  const chosen = own?.model?.split(',').filter((name) => named.has(name) && isUsable(name)) ?? [];
  const [first = model, ...others] = chosen.length > 0 ? chosen : [model, ...fallbacks];
  return [first, ...(onOutage === 'fallback' ? others : [])];
}
