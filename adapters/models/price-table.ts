import { readFileSync } from 'node:fs';
import { z } from 'zod';

const dollars = z.number().nonnegative().describe('US dollars per million tokens');

/** One model of prices.json. */
const PricedModel = z.strictObject({
  provider: z.string().min(1),
  model: z.string().min(1).describe('Without a date; a dated name has the price of the name it begins with'),
  input: dollars,
  cacheRead: dollars,
  cacheWrite: dollars.describe('US dollars per million tokens, for the shortest time they are kept'),
  output: dollars,
  contextTokens: z.int().positive().describe('Input and output together'),
  maxOutputTokens: z.int().positive(),
  priceHoldsToTokens: z.int().positive().optional().describe('A longer prompt has a higher price'),
  citations: z.boolean().optional().describe('Whether it cites passages by its provider’s own feature'),
  source: z.url({ protocol: /^https$/ }),
  asOf: z.iso.date().describe('The day the source said so'),
  note: z.string().min(1).optional(),
});
export type PricedModel = z.infer<typeof PricedModel>;

const PriceTable = z.strictObject({ version: z.iso.date(), models: z.array(PricedModel) });

/** Reads the shipped price table. Its version is the date of its last change. */
export const readPriceTable = (): z.infer<typeof PriceTable> =>
  PriceTable.parse(JSON.parse(readFileSync(new URL('./prices.json', import.meta.url), 'utf8')));
