import type { ApprovalRule } from '../contract/approval.ts';
import type { BusyPolicy } from '../contract/conversation.ts';
import { budgetId } from '../contract/ids.ts';
import type { BudgetLimits } from '../contract/references.ts';
import { ConfigError, defaultModelChain, type Config } from './config.ts';
import type { DailyLimits } from './settings-schemas.ts';

export type AgentSettings = {
  /** `provider:model` */
  model: string;
  /** Asked in this order while the models before are down. */
  fallbacks: string[];
  /** `wait`: the tasks park until their model is back, although there are fallbacks. */
  onOutage: 'fallback' | 'wait';
  /** Of one task. */
  budget: BudgetLimits;
  /** Of all this agent's tasks of one tenant together. */
  perDay: DailyLimits;
  /** In place of the agent's own rules. */
  approvals: ApprovalRule[] | undefined;
  /** In place of the agent's own policy. */
  onBusy: BusyPolicy | undefined;
};

type TenantSettings = {
  /** Of all the tenant's tasks together. */
  perDay: DailyLimits;
  /** Share of the workers while several tenants wait; 2 gets twice what 1 gets. */
  fairnessWeight: number;
};

/** What the configuration says about an agent; an agent that is not named has the defaults. */
export function agentSettings(
  config: Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY'>,
  agent: string,
): AgentSettings {
  const own = ownEntry(config.ALFRED_AGENTS, agent);
  const [model = '', ...fallbacks] = (own?.model ?? defaultModelChain(config)).split(',');
  return {
    model,
    fallbacks,
    onOutage: own?.onOutage ?? 'fallback',
    budget: own?.budget ?? {},
    perDay: own?.perDay ?? {},
    approvals: own?.approvals,
    onBusy: own?.onBusy,
  };
}

/** What the configuration says about a tenant: its own entry, and `*` for what that leaves out. */
export function tenantSettings(
  { ALFRED_TENANTS: tenants }: Pick<Config, 'ALFRED_TENANTS'>,
  tenant: string,
): TenantSettings {
  const own = ownEntry(tenants, tenant);
  const every = ownEntry(tenants, '*');
  return {
    perDay: own?.perDay ?? every?.perDay ?? {},
    fairnessWeight: own?.fairnessWeight ?? every?.fairnessWeight ?? 1,
  };
}

/** The limits of one day (UTC) that a model call of this tenant and agent draws on; those that do not exist are left out. */
export function dayLimitsOf(
  config: Parameters<typeof agentSettings>[0] & Pick<Config, 'ALFRED_TENANTS'>,
  { tenant, agent }: { tenant: string; agent: string },
  now: Date,
) {
  const day = now.toISOString().slice(0, 10);
  return [
    { id: budgetId.agent(tenant, agent, day), ...limitsOf(agentSettings(config, agent).perDay) },
    { id: budgetId.tenant(tenant, day), ...limitsOf(tenantSettings(config, tenant).perDay) },
  ].filter(({ id: _, ...limits }) => Object.values(limits).some((limit) => limit !== undefined));
}

const limitsOf = ({ maxCostUsd, maxTokens, maxModelCalls }: DailyLimits) => ({
  maxUsd: maxCostUsd,
  maxTokens,
  maxCalls: maxModelCalls,
});

/**
 * A misspelt agent would run without its limits.
 *
 * @throws ConfigError that names the unknown agent and the known ones
 */
export function checkAgentNames({ ALFRED_AGENTS: agents = {} }: Pick<Config, 'ALFRED_AGENTS'>, known: string[]): void {
  const unknown = Object.keys(agents).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new ConfigError(
      `ALFRED_AGENTS names an agent that does not exist: "${unknown.join('", "')}". The agents are: ${known.join(', ')}.`,
    );
}

const ownEntry = <T>(entries: Record<string, T> | undefined, name: string): T | undefined =>
  entries && Object.hasOwn(entries, name) ? entries[name] : undefined;
