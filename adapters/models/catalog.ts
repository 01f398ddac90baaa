import { AlfredError } from '../../contract/errors.ts';
import type { Config } from '../../runtime/config.ts';
import type { ModelCatalog, ModelFacts } from '../../contract/ports/index.ts';
import { findOverride, undated, type ModelOverride } from './model-override.ts';
import { readPriceTable, type PricedModel } from './price-table.ts';

/** Providers that cost nothing, and whose window nobody has reached. */
const free: readonly string[] = ['offline', 'scripted'];
const freeModel: Entry = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  output: 0,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
};

const prices = ['input', 'cacheRead', 'cacheWrite', 'output'] as const;

type Entry = Omit<PricedModel, 'provider' | 'model' | 'source' | 'asOf' | 'note'>;

/** Prices and limits of models: the shipped table, and over it what ALFRED_MODELS says. */
export function createModelCatalog({ ALFRED_MODELS: overrides = {} }: Pick<Config, 'ALFRED_MODELS'>): ModelCatalog {
  const table = new Map<string, Entry>(
    readPriceTable().models.map((entry) => [`${entry.provider}:${entry.model}`, entry]),
  );
  const known = (name: string) => (free.includes(providerOf(name)) ? freeModel : table.get(name));
  return {
    factsOf(name) {
      const entry = known(name) ?? known(undated(name));
      const override = findOverride(overrides, name);
      if (!entry) return factsOf(name, complete(name, override));
      checkLongPrompts(name, entry, override);
      return factsOf(name, { ...entry, ...given(override) });
    },
  };
}

const providerOf = (name: string) => name.slice(0, name.indexOf(':'));

function factsOf(name: string, entry: Entry & Limits): ModelFacts {
  const { input, cacheRead, cacheWrite, output, contextTokens, citations, requestsPerMinute, tokensPerMinute } = entry;
  return {
    name,
    price: { input, cacheRead, cacheWrite, output },
    contextTokens,
    maxOutputTokens: Math.min(entry.maxOutputTokens, contextTokens),
    citations,
    requestsPerMinute,
    tokensPerMinute,
  };
}
type Limits = Pick<ModelOverride, 'requestsPerMinute' | 'tokensPerMinute'>;

const given = (override: ModelOverride | undefined): Partial<Entry> =>
  Object.fromEntries(Object.entries(override ?? {}).filter(([, value]) => value !== undefined));

/**
 * A model that the table lacks, from its override alone. What may be left out is assumed at its dearest: cached tokens
 * at the input price, written ones at 1.25 times that, which is what every provider of the table takes at the most. An
 * answer may fill a quarter of the window.
 */
function complete(name: string, override: ModelOverride | undefined): Entry {
  const { input, output, contextTokens } = override ?? {};
  if (input === undefined || output === undefined || contextTokens === undefined) throw unpriced(name, override);
  return {
    cacheRead: input,
    cacheWrite: input * 1.25,
    maxOutputTokens: Math.ceil(contextTokens / 4),
    ...given(override),
    input,
    output,
    contextTokens,
  };
}

function unpriced(name: string, override: ModelOverride | undefined): AlfredError {
  const missing = (['input', 'output', 'contextTokens'] as const).filter((field) => override?.[field] === undefined);
  const example = { [name]: { input: 2, output: 10, contextTokens: 128_000, ...given(override) } };
  const what = override ? `ALFRED_MODELS lacks ${missing.join(', ')} for it` : 'its price is unknown';
  return new AlfredError(
    'model_unconfigured',
    `"${name}" cannot be used: ${what}. Set ALFRED_MODELS='${JSON.stringify(example)}' with its own numbers: US dollars per million tokens, 0 and 0 for a model that costs nothing, and its window in tokens.`,
  );
}

/** A wider window than the price holds for needs a price of its own; else long prompts would be charged too little. */
function checkLongPrompts(name: string, { priceHoldsToTokens }: Entry, override: ModelOverride | undefined): void {
  const contextTokens = override?.contextTokens ?? 0;
  if (priceHoldsToTokens === undefined || contextTokens <= priceHoldsToTokens) return;
  if (prices.every((price) => override?.[price] !== undefined)) return;
  throw new AlfredError(
    'model_unconfigured',
    `"${name}" costs more above ${priceHoldsToTokens} tokens of input, and ALFRED_MODELS gives it a window of ${contextTokens}: set its ${prices.join(', ')} there too, as they are for such long requests.`,
  );
}
