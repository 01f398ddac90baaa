import type { ActivityDeps } from '../activities/index.ts';
import type { ModelCatalog } from '../activities/ports.ts';
import { agentSettings, dayLimitsOf } from '../runtime/agent-settings.ts';
import type { Config } from '../runtime/config.ts';

/** A tool result that is read at once takes this share of the smallest window, and never more than this many characters. */
const resultShare = 0.2;
const longestResult = 60_000;
const shortestResult = 2_000;

type Settings = Pick<ActivityDeps, 'drainPerS' | 'maxOutputTokens' | 'modelsOf' | 'dayLimitsOf' | 'resultCharactersOf'>;

/** What activities ask of the configuration, by agent and tenant. */
export function settingsOf(config: Config, catalog: ModelCatalog): Settings {
  const modelsOf = (agent: string): [string, ...string[]] => {
    const { model, fallbacks, onOutage } = agentSettings(config, agent);
    return [model, ...(onOutage === 'fallback' ? fallbacks : [])];
  };
  return {
    drainPerS: config.ALFRED_OUTAGE_DRAIN_PER_S,
    maxOutputTokens: config.ALFRED_MAX_OUTPUT_TOKENS,
    modelsOf,
    dayLimitsOf: (task) => dayLimitsOf(config, task, new Date()),
    resultCharactersOf: (agent) => {
      const smallest = Math.min(...modelsOf(agent).map((model) => catalog.factsOf(model).contextTokens));
      // Four characters a token.
      return Math.max(shortestResult, Math.min(longestResult, Math.floor(smallest * 4 * resultShare)));
    },
  };
}
