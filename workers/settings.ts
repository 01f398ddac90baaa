import type { ActivityDeps } from '../activities/index.ts';
import type { ModelCatalog, ModelProvider, Tenants } from '../contract/ports/index.ts';
import type { OwnAgent } from '../contract/agent-settings.ts';
import { agentInTenant, modelsInTenant } from '../runtime/agent-in-tenant.ts';
import { agentSettings, dayLimitsOf, tenantSettings, toolRolesOf } from '../runtime/agent-settings.ts';
import { whyNotCallable } from '../runtime/callable-model.ts';
import { ConfigError, type Config } from '../runtime/config.ts';
import { priorityOf } from '../runtime/priority.ts';

/** The longest tool result that a model gets whole, as a share of its context window, and the bounds in characters. */
const resultShare = 0.2;
const longestResult = 60_000;
const shortestResult = 2_000;

type Settings = Pick<
  ActivityDeps,
  | 'approvalsOf'
  | 'agentInTenant'
  | 'toolRolesOf'
  | 'drainPerS'
  | 'maxOutputTokens'
  | 'modelsOf'
  | 'dayLimitsOf'
  | 'priorityOf'
  | 'resultCharactersOf'
  | 'retentionOf'
>;

/** The settings that activities read from the configuration, by agent and tenant. */
export function settingsOf(
  config: Config,
  { catalog, providers, tenants }: Models & { tenants: Pick<Tenants, 'find'> },
): Settings {
  const isUsable = (model: string) => whyNotCallable(model, { catalog, providers }) === undefined;
  const modelsOf = (agent: string, own?: Pick<OwnAgent, 'model'>) => modelsInTenant(config, agent, { own, isUsable });
  return {
    drainPerS: config.ALFRED_OUTAGE_DRAIN_PER_S,
    maxOutputTokens: config.ALFRED_MAX_OUTPUT_TOKENS,
    modelsOf,
    approvalsOf: (agent) => agentSettings(config, agent).approvals,
    agentInTenant: (agent, own) => agentInTenant(config, agent, own),
    toolRolesOf: (agent, tool) => toolRolesOf(config, agent, tool),
    priorityOf: (tenant, priorityKey) => priorityOf(config, tenant, priorityKey),
    retentionOf: (tenant) => tenantSettings(config, tenant).retention,
    dayLimitsOf: async (task) => {
      const { limits } = await tenants.find(task.tenant);
      return dayLimitsOf(config, { ...task, maxCostUsd: limits.costUsdPerDay }, new Date());
    },
    resultCharactersOf: (agent, own) => {
      const smallest = Math.min(...modelsOf(agent, own).map((model) => catalog.factsOf(model).contextTokens));
      // Four characters a token.
      return Math.max(shortestResult, Math.min(longestResult, Math.floor(smallest * 4 * resultShare)));
    },
  };
}

type Models = { catalog: ModelCatalog; providers: Record<string, ModelProvider> };

/**
 * Fails at startup when a model or a fallback cannot be called, instead of at the first task or the first outage.
 *
 * @throws ConfigError that names the model and the variable to set
 */
export function checkModels(config: Config, models: Models, agents: string[]): void {
  for (const agent of agents) {
    const { model, fallbacks } = agentSettings(config, agent);
    for (const name of [model, ...fallbacks]) {
      const why = whyNotCallable(name, models);
      if (why !== undefined) throw new ConfigError(`The agent ${agent} has a model that cannot be called. ${why}`);
    }
  }
}
