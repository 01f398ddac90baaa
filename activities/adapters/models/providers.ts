import type { Config } from '../../../runtime/config.ts';
import type { ModelProvider } from '../../ports.ts';
import { createAnthropicProvider } from './anthropic.ts';
import { createOfflineProvider } from './offline.ts';

/** The providers that the configuration allows, by name. */
export function createProviders(config: Config): Record<string, ModelProvider> {
  const [input, output] = (config.ALFRED_MODEL_PRICE ?? '').split('/').map(Number);
  const price =
    input !== undefined && output !== undefined ? { input, cacheRead: input, cacheWrite: input, output } : undefined;
  return {
    offline: createOfflineProvider({
      firstTokenMs: config.ALFRED_OFFLINE_FIRST_TOKEN_MS,
      tokensPerS: config.ALFRED_OFFLINE_TOKENS_PER_S,
    }),
    ...(config.ANTHROPIC_API_KEY
      ? {
          anthropic: createAnthropicProvider({
            apiKey: config.ANTHROPIC_API_KEY,
            baseUrl: config.ANTHROPIC_BASE_URL,
            price,
          }),
        }
      : {}),
  };
}
