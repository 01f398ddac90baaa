import type { Config } from '../../runtime/config.ts';
import { localModelServers, localProviders } from '../../runtime/local-model-servers.ts';
import type { ModelProvider } from '../../contract/ports/index.ts';
import { createAnthropicProvider } from './anthropic.ts';
import { createOfflineProvider } from './offline.ts';
import { createOpenAiProvider } from './openai.ts';
import { createScriptedProvider } from './scripted.ts';

/**
 * The configured providers, by name.
 *
 * @throws ConfigError when ALFRED_SCRIPT_FILE cannot be used
 */
export function createProviders(config: Config): Record<string, ModelProvider> {
  const {
    ANTHROPIC_API_KEY: anthropicKey,
    OPENAI_API_KEY: openaiKey,
    OPENAI_BASE_URL: openaiUrl,
    ALFRED_SCRIPT_FILE: scriptFile,
  } = config;
  const silenceS = config.ALFRED_MODEL_SILENCE_S;
  const idleMs = silenceS === undefined ? undefined : silenceS * 1_000;
  const providers = [
    createOfflineProvider({
      firstTokenMs: config.ALFRED_OFFLINE_FIRST_TOKEN_MS,
      tokensPerS: config.ALFRED_OFFLINE_TOKENS_PER_S,
    }),
    anthropicKey && createAnthropicProvider({ apiKey: anthropicKey, baseUrl: config.ANTHROPIC_BASE_URL, idleMs }),
    (openaiKey ?? openaiUrl) && createOpenAiProvider({ apiKey: openaiKey, baseUrl: openaiUrl, idleMs }),
    ...localProviders.map((name) =>
      createOpenAiProvider({ name, baseUrl: withVersion(config[localModelServers[name].variable]), idleMs }),
    ),
    scriptFile && createScriptedProvider({ file: scriptFile }),
  ].filter((provider) => typeof provider === 'object');
  return Object.fromEntries(providers.map((provider) => [provider.name, provider]));
}

/** Other programs write these addresses without `/v1`. */
function withVersion(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (url.pathname === '/') url.pathname = '/v1';
  return url.toString();
}
