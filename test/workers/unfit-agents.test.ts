import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { agents, type Agent } from '../../agents/index.ts';
import { createModelCatalog } from '../../adapters/models/catalog.ts';
import { createProviders } from '../../adapters/models/providers.ts';
import { loadConfig } from '../../runtime/config.ts';
import { leaveOutUnfit } from '../../workers/unfit-agents.ts';

const config = loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_MODEL: 'offline:quote' });
const adapters = { catalog: createModelCatalog(config), providers: createProviders(config) };
const ofPack = (missingVariables: string[] = []): Agent => ({
  ...(agents['knowledge'] as Agent),
  pack: { name: 'p', version: '1', missingVariables },
});

/** @returns the queues that are served, and what the readiness probe says */
async function leaveOut(own: Record<string, Agent>, models: Record<string, string> = {}) {
  let warning: (() => Promise<string | undefined>) | undefined;
  const settings = Object.fromEntries(Object.entries(models).map(([name, model]) => [name, { model }]));
  const edge = {
    config: { ...config, ALFRED_AGENTS: settings },
    log: pino({ level: 'silent' }),
    readiness: {
      addWarning: (_: string, given: typeof warning) => {
        warning = given;
      },
    },
  } as Parameters<typeof leaveOutUnfit>[0];
  const queues = leaveOutUnfit(edge, adapters, {
    agents: { ...agents, ...own },
    queues: ['agent-knowledge', 'agent-a', 'agent-b', 'system'],
  });
  return { queues, warning: await warning?.() };
}

test('an agent of a pack without a variable of its tools is not served, and the variable is named', async () => {
  expect(await leaveOut({ a: ofPack(['A_URL', 'A_KEY']), b: ofPack() })).toEqual({
    queues: ['agent-knowledge', 'agent-b', 'system'],
    warning: 'a is not served: A_URL and A_KEY are not set, and its tools need them.',
  });
});

test('an agent of a pack whose model cannot be called is not served, and one of ours stops the worker', async () => {
  const served = await leaveOut({ a: ofPack(), b: ofPack() }, { a: 'openai:gpt-6.2-sol' });
  expect(served.queues).toEqual(['agent-knowledge', 'agent-b', 'system']);
  expect(served.warning).toMatch(/^a is not served: .*"openai:gpt-6\.2-sol" cannot be used: openai is not configured/);
  await expect(leaveOut({}, { knowledge: 'openai:gpt-6.2-sol' })).rejects.toThrow(/openai is not configured/);
});

test('agents that this process does not serve anyway are not checked', async () => {
  expect((await leaveOut({ c: ofPack(['C_URL']) })).warning).toBeUndefined();
});
