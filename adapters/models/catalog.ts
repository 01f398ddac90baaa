import { AlfredError } from '../../contract/errors.ts';
import type { Config } from '../../runtime/config.ts';
import type { ModelCatalog, ModelFacts } from '../../contract/ports/index.ts';
import { localProviders } from '../../runtime/local-model-servers.ts';
import { findOverride, undated, type ModelOverride } from './find-override.ts';
import { readPriceTable, type PricedModel } from './price-table.ts';

/** Providers without a model: they cost nothing, and their context window is practically unlimited. */
const freeProviders: readonly string[] = ['offline', 'scripted'];
const freeEntry: Entry = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  output: 0,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
};

/**
 * Models on the user's own machine cost nothing. Their window is what a small machine has room for, because a
 * server may cut what is longer without a word; ALFRED_MODELS gives the one that the server was started with.
 */
const localEntry: Entry = { ...freeEntry, contextTokens: 8_192, maxOutputTokens: 2_048 };

const priceFields = ['input', 'cacheRead', 'cacheWrite', 'output'] as const;

type Entry = Omit<PricedModel, 'provider' | 'model' | 'source' | 'asOf' | 'note'>;

/** Prices and limits of models: the shipped price table, overridden by ALFRED_MODELS. */
export function createModelCatalog({ ALFRED_MODELS: overrides = {} }: Pick<Config, 'ALFRED_MODELS'>): ModelCatalog {
  const table = new Map<string, Entry>(
    readPriceTable().models.map((entry) => [`${entry.provider}:${entry.model}`, entry]),
  );
  const entryOf = (name: string) => {
    const provider = providerOf(name);
    if (freeProviders.includes(provider)) return freeEntry;
    return (localProviders as string[]).includes(provider) ? localEntry : table.get(name);
  };
  return {
    factsOf(name) {
      const entry = entryOf(name) ?? entryOf(undated(name));
      const override = findOverride(overrides, name);
      if (!entry) return factsOf(name, entryFromOverride(name, override));
      checkLongPrompts(name, entry, override);
      const { contextTokens } = override ?? {};
      const grown = entry === localEntry && contextTokens ? { maxOutputTokens: Math.ceil(contextTokens / 4) } : {};
      return factsOf(name, { ...entry, ...grown, ...definedFields(override) });
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

const definedFields = (override: ModelOverride | undefined): Partial<Entry> =>
  Object.fromEntries(Object.entries(override ?? {}).filter(([, value]) => value !== undefined));

/**
 * The entry of a model that is not in the table, from its override alone. Missing prices get the highest value of any
 * provider in the table: cache reads cost the input price, cache writes 1.25 times the input price. An answer may take
 * a quarter of the context window.
 *
 * @throws AlfredError `model_unconfigured` when a required field is missing
 */
function entryFromOverride(name: string, override: ModelOverride | undefined): Entry {
  const { input, output, contextTokens } = override ?? {};
  if (input === undefined || output === undefined || contextTokens === undefined)
    throw missingPriceError(name, override);
  return {
    cacheRead: input,
    cacheWrite: input * 1.25,
    maxOutputTokens: Math.ceil(contextTokens / 4),
    ...definedFields(override),
    input,
    output,
    contextTokens,
  };
}

function missingPriceError(name: string, override: ModelOverride | undefined): AlfredError {
  const missing = (['input', 'output', 'contextTokens'] as const).filter((field) => override?.[field] === undefined);
  const example = { [name]: { input: 2, output: 10, contextTokens: 128_000, ...definedFields(override) } };
  const problem = override ? `ALFRED_MODELS lacks ${missing.join(', ')} for it` : 'its price is unknown';
  return new AlfredError(
    'model_unconfigured',
    `"${name}" cannot be used: ${problem}. Set ALFRED_MODELS='${JSON.stringify(example)}' with its own numbers: US dollars per million tokens, 0 and 0 for a model that costs nothing, and its window in tokens.`,
  );
}

/**
 * Some models cost more above a certain prompt length. An override that allows longer prompts must set all prices, else
 * long prompts would be charged too little.
 *
 * @throws AlfredError `model_unconfigured`
 */
function checkLongPrompts(name: string, { priceHoldsToTokens }: Entry, override: ModelOverride | undefined): void {
  const contextTokens = override?.contextTokens ?? 0;
  if (priceHoldsToTokens === undefined || contextTokens <= priceHoldsToTokens) return;
  if (priceFields.every((price) => override?.[price] !== undefined)) return;
  throw new AlfredError(
    'model_unconfigured',
    `"${name}" costs more above ${priceHoldsToTokens} tokens of input, and ALFRED_MODELS gives it a window of ${contextTokens}: set its ${priceFields.join(', ')} there too, as they are for such long requests.`,
  );
}
