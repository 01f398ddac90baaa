import type { ApprovalRule } from '../contract/approval.ts';
import type { BusyPolicy } from '../contract/conversation.ts';
import { budgetId } from '../contract/ids.ts';
import type { BudgetLimits } from '../contract/references.ts';
import type { Retention } from '../contract/ports/index.ts';
import type { Budget } from '../contract/task.ts';
import { ConfigError, defaultModelChain, type Config } from './config.ts';
import type { DailyLimits } from './settings-schemas.ts';

export type AgentSettings = {
  /** `provider:model` */
  model: string;
  /** Models to use in this order while the ones before them are down. */
  fallbacks: string[];
  /** `wait`: during an outage tasks park until their model is back, even if there are fallbacks. */
  onOutage: 'fallback' | 'wait';
  /** Limits of each task. */
  budget: BudgetLimits;
  /** Daily limits of all this agent's tasks of one tenant together. */
  perDay: DailyLimits;
  /** Replaces the agent's own rules. */
  approvals: ApprovalRule[] | undefined;
  /** Replaces the agent's own list of tools that run without approval. */
  withoutApproval: string[] | undefined;
  /** Replaces the agent's own policy. */
  onBusy: BusyPolicy | undefined;
  /** Who may use it: those with one of these roles. Undefined: everybody. */
  roles: string[] | undefined;
  /** Tools of the agent that only tasks of people with one of these roles may call. */
  tools: Record<string, { roles: string[] }>;
};

type TenantSettings = {
  /** Daily limits of all the tenant's tasks together. */
  perDay: DailyLimits;
  /** The tenant's share of the workers while several tenants wait: weight 2 gets twice as much as weight 1. */
  fairnessWeight: number;
  /** How long content is kept after its last change. */
  retention: Retention;
};

/** The configured settings of an agent. An agent without an entry in ALFRED_AGENTS gets the defaults. */
export function agentSettings(
  config: Pick<Config, 'ALFRED_AGENTS' | 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY'>,
  agent: string,
): AgentSettings {
  const entry = ownEntry(config.ALFRED_AGENTS, agent);
  const [model = '', ...fallbacks] = (entry?.model ?? defaultModelChain(config)).split(',');
  return {
    model,
    fallbacks,
    onOutage: entry?.onOutage ?? 'fallback',
    budget: entry?.budget ?? {},
    perDay: entry?.perDay ?? {},
    approvals: entry?.approvals,
    withoutApproval: entry?.withoutApproval,
    onBusy: entry?.onBusy,
    roles: entry?.roles,
    tools: entry?.tools ?? {},
  };
}

/** The roles that a tool of an agent is kept for; undefined: it is there for every task of the agent. */
export const toolRolesOf = (
  config: Parameters<typeof agentSettings>[0],
  agent: string,
  tool: string,
): string[] | undefined => ownEntry(agentSettings(config, agent).tools, tool)?.roles;

/** The configured settings of a tenant: those of its own entry, then those of the entry `*`. */
export function tenantSettings(
  { ALFRED_TENANTS: tenants }: Pick<Config, 'ALFRED_TENANTS'>,
  tenant: string,
): TenantSettings {
  const entry = ownEntry(tenants, tenant);
  const defaults = ownEntry(tenants, '*');
  return {
    perDay: entry?.perDay ?? defaults?.perDay ?? {},
    fairnessWeight: entry?.fairnessWeight ?? defaults?.fairnessWeight ?? 1,
    retention: { ...defaults?.retention, ...entry?.retention },
  };
}

/**
 * The daily budgets (UTC) that a model call of this tenant and agent is charged to. Budgets without a limit are left
 * out.
 *
 * @param task `maxCostUsd`: a limit of the tenant beside the configured one; the lower counts
 */
export function dayLimitsOf(
  config: Parameters<typeof agentSettings>[0] & Pick<Config, 'ALFRED_TENANTS'>,
  { tenant, agent, maxCostUsd }: { tenant: string; agent: string; maxCostUsd?: number | undefined },
  now: Date,
) {
  const day = now.toISOString().slice(0, 10);
  return [
    { id: budgetId.agent(tenant, agent, day), ...limitsOf(agentSettings(config, agent).perDay) },
    { id: budgetId.tenant(tenant, day), ...limitsOf(lower(tenantSettings(config, tenant).perDay, maxCostUsd)) },
  ].filter(({ id: _, ...limits }) => Object.values(limits).some((limit) => limit !== undefined));
}

/** @returns the limits, with the lower of both costs */
const lower = (limits: DailyLimits, maxCostUsd = limits.maxCostUsd): DailyLimits =>
  maxCostUsd === undefined ? limits : { ...limits, maxCostUsd: Math.min(maxCostUsd, limits.maxCostUsd ?? maxCostUsd) };

const limitsOf = ({ maxCostUsd, maxTokens, maxModelCalls }: DailyLimits) => ({
  maxUsd: maxCostUsd,
  maxTokens,
  maxCalls: maxModelCalls,
});

type Defaults = { model?: string; budget?: Budget; roles?: readonly string[] };

/** The configuration with what agents set themselves, where ALFRED_AGENTS has no such setting of theirs. */
export function withAgentDefaults(config: Config, agents: Readonly<Record<string, { defaults?: Defaults }>>): Config {
  const withDefaults = Object.entries(agents).flatMap(([name, { defaults }]) => {
    if (!defaults || Object.keys(defaults).length === 0) return [];
    const { roles, ...rest } = defaults;
    return [[name, { ...rest, ...(roles && { roles: [...roles] }), ...ownEntry(config.ALFRED_AGENTS, name) }] as const];
  });
  if (withDefaults.length === 0) return config;
  return { ...config, ALFRED_AGENTS: { ...config.ALFRED_AGENTS, ...Object.fromEntries(withDefaults) } };
}

/**
 * Checks that ALFRED_AGENTS names existing agents only: with a misspelt name an agent would run without its limits.
 *
 * @throws ConfigError with the unknown names and the known ones
 */
export function checkAgentNames({ ALFRED_AGENTS: agents = {} }: Pick<Config, 'ALFRED_AGENTS'>, known: string[]): void {
  const unknown = Object.keys(agents).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new ConfigError(
      `ALFRED_AGENTS names an agent that does not exist: "${unknown.join('", "')}". The agents are: ${known.join(', ')}.`,
    );
}

/** An agent or tenant may be called `constructor`, so only own properties count. */
const ownEntry = <T>(entries: Record<string, T> | undefined, name: string): T | undefined =>
  entries && Object.hasOwn(entries, name) ? entries[name] : undefined;
