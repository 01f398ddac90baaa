import { expect, test } from '@jest/globals';
import { TaxInput } from '../../../agents/financial/intents.ts';
import { calculate } from '../../../agents/financial/tax/calculate.ts';
import {
  asiaAndPacific,
  canada,
  europe,
  unitedKingdom,
  unitedStates,
  type PublishedExample,
} from './published-examples.ts';

const named = (examples: PublishedExample[]) =>
  examples.map((each) => {
    const { places, year, income, otherIncome = income, status = 'single' } = each.input;
    return [`${places.join()} ${year}, ${otherIncome} ${status}: ${each.levy} (${each.source})`, each] as const;
  });

test.each([
  ...named(unitedStates),
  ...named(unitedKingdom),
  ...named(canada),
  ...named(asiaAndPacific),
  ...named(europe),
])('%s', (_, { input, levy: name, amount, upTo, within = 0 }) => {
  const [assessed] = calculate(TaxInput.parse(input));
  const levy = assessed?.levies.find((one) => one.name === name);
  if (!levy) throw new Error(`no ${name} in ${assessed?.levies.map((one) => one.name).join(', ')}`);
  const end =
    upTo === undefined ? -1 : levy.parts.findIndex(({ label }) => new RegExp(`^(?:${upTo})`, 'u').test(label));
  const counted = end === -1 ? levy.parts : levy.parts.slice(0, end);
  const due = counted.reduce((sum, part) => sum + Math.round(part.amount.toNumber() * 100), 0) / 100;
  expect({ due, off: Math.abs(due - amount) <= within + 0.001 ? 0 : due - amount }).toEqual({ due, off: 0 });
});
