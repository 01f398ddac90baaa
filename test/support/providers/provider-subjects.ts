import { createAnthropicProvider } from '../../../adapters/models/anthropic.ts';
import { createOfflineProvider } from '../../../adapters/models/offline.ts';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import { createScriptedProvider } from '../../../adapters/models/scripted.ts';
import type { ModelProvider } from '../../../contract/ports/index.ts';
import { startCompliantAnthropic, startCompliantOpenAi } from './compliant-servers.ts';
import type { Need } from './check.ts';
import { checksScript } from './provider-checks.ts';

/** A provider that all checks run against. */
export type Subject = {
  name: string;
  lacks?: Need[];
  /** Why the provider is not available. Its checks are skipped, and counted as skipped. */
  absent?: string | undefined;
  start: () => Promise<{ provider: ModelProvider; model: string; close: () => Promise<void> }>;
};

const nothing = async () => {};

export const subjects: Subject[] = [
  {
    name: 'anthropic',
    start: async () => {
      const { url, close } = await startCompliantAnthropic('key');
      return { provider: createAnthropicProvider({ apiKey: 'key', baseUrl: url }), model: 'claude-test', close };
    },
  },
  {
    name: 'openai',
    lacks: ['count'],
    start: async () => {
      const { url, close } = await startCompliantOpenAi(undefined);
      return { provider: createOpenAiProvider({ baseUrl: url }), model: 'small-test', close };
    },
  },
  {
    name: 'offline',
    lacks: ['own words', 'output limit', 'parallel calls'],
    start: async () => ({
      provider: createOfflineProvider({ firstTokenMs: 0, tokensPerS: 20_000 }),
      model: 'quote',
      close: nothing,
    }),
  },
  {
    name: 'scripted',
    start: async () => ({ provider: createScriptedProvider({ script: checksScript }), model: 'any', close: nothing }),
  },
];

const { env } = process;

/** Live servers, named in environment variables. */
export const liveSubjects: Subject[] = [
  live('ANTHROPIC', [], (baseUrl, apiKey) => createAnthropicProvider({ apiKey: apiKey ?? 'none', baseUrl })),
  live('OPENAI', ['count'], (baseUrl, apiKey) => createOpenAiProvider({ apiKey, baseUrl })),
];

function live(
  name: 'ANTHROPIC' | 'OPENAI',
  lacks: Need[],
  create: (baseUrl: string, apiKey: string | undefined) => ModelProvider,
): Subject {
  const [baseUrl = '', model = ''] = [env[`ALFRED_TEST_${name}_BASE_URL`], env[`ALFRED_TEST_${name}_MODEL`]];
  return {
    name: `${name.toLowerCase()}, live`,
    lacks,
    absent:
      baseUrl && model ? undefined : `ALFRED_TEST_${name}_BASE_URL and ALFRED_TEST_${name}_MODEL are not both set`,
    start: async () => ({ provider: create(baseUrl, env[`ALFRED_TEST_${name}_API_KEY`]), model, close: nothing }),
  };
}
