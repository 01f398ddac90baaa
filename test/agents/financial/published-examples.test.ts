import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { TaxInput } from '../../../agents/financial/intents.ts';
import { calculate } from '../../../agents/financial/tax/calculate.ts';

/**
 * What authorities and firms have published: by income, the amount of a levy, or with `upTo` the sum of its lines
 * before the first whose label begins with that pattern. `within`: the publication rounds to that.
 */
const Published = z.strictObject({
  source: z.string(),
  input: z.record(z.string(), z.json()),
  levy: z.string(),
  upTo: z.string().optional(),
  within: z.number().default(0),
  asOtherIncome: z.boolean().default(false).describe('the publication knows no contributions'),
  amounts: z.record(z.string(), z.number()),
});
const file = new URL('published-examples.json', import.meta.url);
const published = z.array(Published).parse(JSON.parse(readFileSync(file, 'utf8')));

const examples = published.flatMap(({ amounts, ...each }) =>
  Object.entries(amounts).map(([income, amount]) => {
    const name = `${JSON.stringify(each.input)} ${income}: ${each.levy} (${each.source})`;
    return [name, { ...each, income, amount }] as const;
  }),
);

test.each(examples)('%s', (_, { input, income, levy: name, amount, upTo, within, asOtherIncome }) => {
  const incomes = asOtherIncome ? { income: 0, otherIncome: income } : { income };
  const [assessed] = calculate(TaxInput.parse({ ...input, ...incomes }));
  const levy = assessed?.levies.find((one) => one.name === name);
  if (!levy) throw new Error(`no ${name} in ${assessed?.levies.map((one) => one.name).join(', ')}`);
  const end =
    upTo === undefined ? -1 : levy.parts.findIndex(({ label }) => new RegExp(`^(?:${upTo})`, 'u').test(label));
  const counted = end === -1 ? levy.parts : levy.parts.slice(0, end);
  const due = counted.reduce((sum, part) => sum + Math.round(part.amount.toNumber() * 100), 0) / 100;
  expect({ due, off: Math.abs(due - amount) <= within + 0.001 ? 0 : due - amount }).toEqual({ due, off: 0 });
});
