import { expect, test } from '@jest/globals';
import { agentSettings, checkAgentNames, dayLimitsOf, tenantSettings } from '../../runtime/agent-settings.ts';
import { ConfigError, loadConfig, defaultModelOf } from '../../runtime/config.ts';

const configOf = (environment: Record<string, string | object>) =>
  loadConfig({
    DATABASE_URL: 'postgres://unused',
    ...Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ),
  });

/** The error message for a wrong environment. */
function configErrorOf(environment: Record<string, string | object>): string {
  try {
    configOf(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the environment was accepted');
}

test('without configuration every agent has the default model and no limits', () => {
  expect(agentSettings(configOf({}), 'knowledge')).toEqual({
    model: 'offline:quote',
    fallbacks: [],
    onOutage: 'fallback',
    budget: {},
    perDay: {},
    tools: {},
  });
  expect(agentSettings(configOf({ ANTHROPIC_API_KEY: 'key' }), 'knowledge').model).toBe('anthropic:claude-sonnet-5-5');
});

test('the first model of a chain is used, the others are fallbacks, and an agent may have a chain of its own', () => {
  const config = configOf({
    ALFRED_MODEL: 'scripted:one,offline:two,scripted:three',
    ALFRED_AGENTS: { other: { model: 'offline:four,offline:five', onOutage: 'wait', budget: { waitS: 5 } } },
  });
  expect(defaultModelOf(config)).toBe('scripted:one');
  expect(agentSettings(config, 'knowledge')).toMatchObject({
    model: 'scripted:one',
    fallbacks: ['offline:two', 'scripted:three'],
  });
  expect(agentSettings(config, 'other')).toMatchObject({
    model: 'offline:four',
    fallbacks: ['offline:five'],
    onOutage: 'wait',
    budget: { waitS: 5 },
  });
});

test('a tenant’s own entry overrides the entry `*`, field by field', () => {
  const config = configOf({
    ALFRED_TENANTS: {
      '*': { perDay: { maxTokens: 10 }, fairnessWeight: 3, retention: { tasksDays: 90, conversationsDays: 365 } },
      acme: { fairnessWeight: 0.5, retention: { tasksDays: 30 } },
    },
  });
  expect(tenantSettings(config, 'acme')).toEqual({
    perDay: { maxTokens: 10 },
    fairnessWeight: 0.5,
    retention: { tasksDays: 30, conversationsDays: 365 },
  });
  expect(tenantSettings(config, 'constructor')).toEqual({
    perDay: { maxTokens: 10 },
    fairnessWeight: 3,
    retention: { tasksDays: 90, conversationsDays: 365 },
  });
  expect(tenantSettings(configOf({}), 'acme')).toEqual({ perDay: {}, fairnessWeight: 1, retention: {} });
});

test('only configured limits apply, including zero dollars, and days are in UTC', () => {
  const who = { tenant: 'acme', agent: 'knowledge' };
  const lateInNewYork = new Date('2026-11-24T20:30:00-05:00');
  expect(dayLimitsOf(configOf({}), who, lateInNewYork)).toEqual([]);
  const config = configOf({
    ALFRED_AGENTS: { knowledge: { perDay: { maxCostUsd: 0 } }, other: { perDay: { maxTokens: 1 } } },
    ALFRED_TENANTS: { acme: { perDay: { maxTokens: 1_000, maxModelCalls: 7 } }, '*': { perDay: { maxTokens: 1 } } },
  });
  expect(dayLimitsOf(config, who, lateInNewYork)).toEqual([
    { id: 'agent/acme/knowledge/2026-11-25', maxUsd: 0 },
    { id: 'tenant/acme/2026-11-25', maxTokens: 1_000, maxCalls: 7 },
  ]);
  const costs = (configured: number | undefined, maxCostUsd: number | undefined) =>
    dayLimitsOf(
      configOf(configured === undefined ? {} : { ALFRED_TENANTS: { acme: { perDay: { maxCostUsd: configured } } } }),
      { ...who, maxCostUsd },
      lateInNewYork,
    ).map(({ maxUsd }) => maxUsd);
  // The lower of what is configured and what an operator has set for the tenant.
  expect([costs(5, 2), costs(2, 5), costs(undefined, 0), costs(3, undefined)]).toEqual([[2], [2], [0], [3]]);
});

test('all faults inside JSON variables are reported together, each with its path', () => {
  const message = configErrorOf({
    ALFRED_AGENTS: { knowledge: { model: 'claude', budget: { maxTokens: -1 }, perDay: { maxDollars: 1 } } },
    ALFRED_TENANTS: { acme: { fairnessWeight: 0 } },
    ALFRED_MODELS: { 'gpt-6': { input: 1 }, 'openai:x': { input: -1 } },
    ALFRED_MODEL: 'openai:gpt-6-sol,',
  });
  expect(message).toMatch(/ALFRED_AGENTS .*: knowledge\.model: expected provider:model/);
  expect(message).toMatch(/ALFRED_AGENTS .*: knowledge\.budget\.maxTokens: /);
  expect(message).toMatch(/ALFRED_AGENTS .*: knowledge\.perDay: .*maxDollars/);
  expect(message).toMatch(/ALFRED_TENANTS .*: acme\.fairnessWeight: /);
  expect(message).toMatch(/ALFRED_MODELS .*: gpt-6: expected provider:model, or provider:begin\*/);
  expect(message).toMatch(/ALFRED_MODELS .*: openai:x\.input: /);
  expect(message).toMatch(/ALFRED_MODEL is .*expected provider:model, or several separated by commas/);
});

test('a variable that is not JSON is reported as such', () => {
  expect(configErrorOf({ ALFRED_TENANTS: '{acme: 1}' })).toContain('ALFRED_TENANTS is "{acme: 1}": is not JSON');
});

test('a model whose provider has no key is reported, at any position in a chain', () => {
  const chain = 'offline:quote,anthropic:claude-sonnet-5-5';
  expect(configErrorOf({ ALFRED_MODEL: chain })).toMatch(
    /ANTHROPIC_API_KEY is not set: .*ALFRED_MODEL names "anthropic:/,
  );
  expect(configErrorOf({ ALFRED_AGENTS: { knowledge: { model: chain } } })).toMatch(
    /ANTHROPIC_API_KEY is not set: .*ALFRED_AGENTS of knowledge names "anthropic:/,
  );
  expect(configErrorOf({ ALFRED_MODEL: 'openai:gpt-6-sol' })).toContain('set OPENAI_API_KEY or OPENAI_BASE_URL');
  expect(() => configOf({ ALFRED_MODEL: 'openai:x', OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' })).not.toThrow();
});

test('an agent that does not exist is reported together with those that do', () => {
  const config = configOf({ ALFRED_AGENTS: { knowlege: { perDay: { maxCostUsd: 1 } } } });
  expect(() => checkAgentNames(config, ['knowledge', 'tax'])).toThrow(
    'ALFRED_AGENTS names an agent that does not exist: "knowlege". The agents are: knowledge, tax.',
  );
  expect(() => checkAgentNames(config, ['knowlege'])).not.toThrow();
  expect(() => checkAgentNames(configOf({}), [])).not.toThrow();
});
