import { describe, expect, test } from '@jest/globals';
import { createModelCatalog } from '../../../adapters/models/catalog.ts';
import { readPriceTable } from '../../../adapters/models/price-table.ts';
import { costOf } from '../../../contract/rules/price.ts';
import { loadConfig } from '../../../runtime/config.ts';

const catalogOf = (models?: object) =>
  createModelCatalog(
    loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_MODELS: models && JSON.stringify(models) }),
  );
const shipped = readPriceTable();

describe('the shipped table', () => {
  test.each(shipped.models.map((entry) => [`${entry.provider}:${entry.model}`, entry] as const))(
    '%s has plausible figures with their source',
    (name, entry) => {
      const { input, cacheRead, cacheWrite, output, contextTokens, maxOutputTokens, citations } = entry;
      expect(input).toBeGreaterThan(0);
      expect(cacheRead).toBeGreaterThan(0);
      expect(cacheRead).toBeLessThanOrEqual(input);
      expect(cacheWrite).toBeGreaterThanOrEqual(input);
      expect(cacheWrite).toBeLessThanOrEqual(input * 1.25 + 1e-9);
      expect(output).toBeGreaterThan(input);
      expect(output).toBeLessThanOrEqual(100);
      expect(contextTokens).toBeGreaterThanOrEqual(100_000);
      expect(maxOutputTokens).toBeLessThan(contextTokens);
      expect(contextTokens).toBeLessThanOrEqual(entry.priceHoldsToTokens ?? contextTokens);
      expect(entry.model).not.toMatch(/-\d{8}$|-\d{4}-\d{2}-\d{2}$/);
      expect(entry.asOf <= shipped.version).toBe(true);
      expect(catalogOf().factsOf(name)).toEqual({
        name,
        price: { input, cacheRead, cacheWrite, output },
        contextTokens,
        maxOutputTokens,
        citations,
      });
    },
  );

  test('names every model once', () => {
    const names = shipped.models.map(({ provider, model }) => `${provider}:${model}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('models of a local server cost nothing, and have a small window until a larger one is configured', () => {
  const price = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  for (const name of ['ollama:qwen3:8b', 'lmstudio:openai/gpt-oss-20b', 'llamacpp:model.gguf', 'vllm:Qwen/Qwen3-8B'])
    expect(catalogOf().factsOf(name)).toMatchObject({ name, price, contextTokens: 8_192, maxOutputTokens: 2_048 });
  expect(catalogOf({ 'ollama:*': { contextTokens: 32_768 } }).factsOf('ollama:qwen3:8b')).toMatchObject({
    price,
    contextTokens: 32_768,
    maxOutputTokens: 8_192,
  });
});

test('a name with a date has the price of the name without it', () => {
  const catalog = catalogOf();
  const { price } = catalog.factsOf('anthropic:claude-haiku-4-5');
  expect(catalog.factsOf('anthropic:claude-haiku-4-5-20251001')).toMatchObject({
    name: 'anthropic:claude-haiku-4-5-20251001',
    price,
  });
  expect(catalog.factsOf('openai:gpt-6-sol-2026-09-22').price).toEqual(catalog.factsOf('openai:gpt-6-sol').price);
  expect(() => catalog.factsOf('openai:gpt-6-sol-preview')).toThrow('cannot be used');
});

test('the configuration turns the citation feature of any model off or on', () => {
  const price = { input: 1, output: 1, contextTokens: 10_000 };
  const catalog = catalogOf({
    'anthropic:claude-opus-*': { citations: false },
    'anthropic:own': { ...price, citations: true },
    'anthropic:other': price,
  });
  const cites = (name: string) => catalog.factsOf(`anthropic:${name}`).citations;
  expect([cites('claude-sonnet-4-6'), cites('claude-opus-5'), cites('own'), cites('other')]).toEqual([
    true,
    false,
    true,
    undefined,
  ]);
  expect(catalog.factsOf('openai:gpt-6-sol').citations).toBeUndefined();
});

test('prices are in dollars per million tokens of a kind', () => {
  const { price } = catalogOf().factsOf('anthropic:claude-sonnet-4-5');
  const tokens = { inputTokens: 1_000_000, cacheReadTokens: 2_000_000, cacheWriteTokens: 4_000_000, outputTokens: 10 };
  expect(costOf(price, tokens)).toBeCloseTo(3 + 0.6 + 15 + 0.000_15, 10);
});

test('an unknown model is refused with the variable to set, and accepted when it is set', () => {
  const name = 'openai:llama3.2';
  expect(() => catalogOf().factsOf(name)).toThrow(
    expect.objectContaining({
      code: 'model_unconfigured',
      message: expect.stringContaining(
        `Set ALFRED_MODELS='{"openai:llama3.2":{"input":2,"output":10,"contextTokens":128000}}'`,
      ),
    }),
  );
  expect(() => catalogOf({ [name]: { input: 1 } }).factsOf(name)).toThrow(
    expect.objectContaining({ message: expect.stringContaining('ALFRED_MODELS lacks output, contextTokens for it') }),
  );
  expect(catalogOf({ [name]: { input: 0, output: 0, contextTokens: 8_192 } }).factsOf(name)).toEqual({
    name,
    price: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
    contextTokens: 8_192,
    maxOutputTokens: 2_048,
  });
});

test('prices missing from the override of an unknown model get the highest possible value', () => {
  const override = { input: 4, output: 8, contextTokens: 1_000 };
  expect(catalogOf({ 'openai:x': override }).factsOf('openai:x').price).toEqual({
    input: 4,
    cacheRead: 4,
    cacheWrite: 5,
    output: 8,
  });
});

test('an override of a known model changes only the fields that it sets', () => {
  const name = 'anthropic:claude-sonnet-5-5';
  const before = catalogOf().factsOf(name);
  const after = catalogOf({ [name]: { output: 7, requestsPerMinute: 50, tokensPerMinute: 9 } }).factsOf(name);
  expect(after).toEqual({
    ...before,
    price: { ...before.price, output: 7 },
    requestsPerMinute: 50,
    tokensPerMinute: 9,
  });
});

test('the most specific override wins: the name, the name without a date, the longest prefix', () => {
  const withInput = (input: number) => ({ input, output: 100, contextTokens: 1_000 });
  const catalog = catalogOf({
    'openai:*': withInput(1),
    'openai:gpt-7*': withInput(2),
    'openai:gpt-7-sol': withInput(3),
    'openai:gpt-7-sol-2027-01-01': withInput(4),
  });
  const inputOf = (name: string) => catalog.factsOf(`openai:${name}`).price.input;
  expect(['mistral', 'gpt-7-luna', 'gpt-7-sol', 'gpt-7-sol-2026-12-01', 'gpt-7-sol-2027-01-01'].map(inputOf)).toEqual([
    1, 2, 3, 3, 4,
  ]);
});

test('a context window larger than a price is valid for requires new prices', () => {
  const name = 'openai:gpt-6.2-sol';
  const largeWindow = { contextTokens: 1_050_000 };
  expect(() => catalogOf({ [name]: largeWindow }).factsOf(name)).toThrow(
    expect.objectContaining({ code: 'model_unconfigured', message: expect.stringContaining('272000') }),
  );
  const withPrices = { ...largeWindow, input: 4, cacheRead: 0.2, cacheWrite: 5, output: 15 };
  expect(catalogOf({ [name]: withPrices }).factsOf(name)).toMatchObject({
    contextTokens: 1_050_000,
    price: { output: 15 },
  });
});

test('local models cost nothing unless they have an override', () => {
  for (const name of ['offline:quote', 'scripted:test'])
    expect(catalogOf().factsOf(name)).toMatchObject({
      price: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
      contextTokens: 1_000_000,
    });
  expect(catalogOf({ 'scripted:*': { output: 3 } }).factsOf('scripted:test').price.output).toBe(3);
});
