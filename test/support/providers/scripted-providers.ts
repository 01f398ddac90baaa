import { createAnthropicProvider } from '../../../adapters/models/anthropic.ts';
import { createOpenAiProvider } from '../../../adapters/models/openai.ts';
import type { Script } from '../../../adapters/models/script.ts';
import { createScriptedProvider } from '../../../adapters/models/scripted.ts';
import type { ModelProvider } from '../../../contract/ports/index.ts';
import { startFakeAnthropic } from './fake-anthropic.ts';
import { startFakeOpenAi } from './fake-openai.ts';
import type { WireServer } from '../fakes/wire-server.ts';
import { anthropicTurn, openAiTurn, scriptTurn, type ScriptedResponse } from './scripted-turns.ts';

export type ScriptedProvider = {
  respondWith: (response: ScriptedResponse) => void;
  /** Creates a provider that receives that response. */
  create: (options?: { apiKey?: string; idleMs?: number; baseUrl?: string }) => ModelProvider;
  model: string;
  server: Pick<WireServer, 'bodies' | 'untilAbandoned' | 'close'>;
};

/** `script`: a test decides its response; `http`: it sends requests over HTTP. */
export type Capability = 'script' | 'http';

/** Every provider, and how a test scripts its next response. */
export const scriptedProviders: { name: string; capabilities: Capability[]; start: () => Promise<ScriptedProvider> }[] =
  [
    {
      name: 'anthropic',
      capabilities: ['script', 'http'],
      start: async () => {
        const fake = await startFakeAnthropic('right');
        return {
          respondWith: (response) => fake.script(anthropicTurn(response)),
          create: (options) => createAnthropicProvider({ apiKey: 'right', baseUrl: fake.url, ...options }),
          model: 'claude-test',
          server: fake,
        };
      },
    },
    {
      name: 'openai',
      capabilities: ['script', 'http'],
      start: async () => {
        const fake = await startFakeOpenAi('right');
        return {
          respondWith: (response) => fake.script(openAiTurn(response)),
          create: (options) => createOpenAiProvider({ apiKey: 'right', baseUrl: fake.url, ...options }),
          model: 'gpt-test',
          server: fake,
        };
      },
    },
    {
      name: 'scripted',
      capabilities: ['script'],
      start: async () => {
        let turn: Script['turns'][number] = {};
        return {
          respondWith: (response) => {
            turn = scriptTurn(response);
          },
          create: (options) => createScriptedProvider({ script: { turns: [turn] }, ...options }),
          model: 'any',
          server: noServer,
        };
      },
    },
    {
      // It can only quote the results of tools.
      name: 'offline',
      capabilities: [],
      start: () => Promise.reject(new Error('The offline provider cannot be scripted.')),
    },
  ];

const noServer = { bodies: [], untilAbandoned: async () => {}, close: async () => {} };
