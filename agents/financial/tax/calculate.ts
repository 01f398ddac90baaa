import { AlfredError } from '../../../contract/errors.ts';
import type { TaxInput } from '../intents.ts';
import { chooseYears } from './choose-years.ts';
import { max, money, sum, zero, type Money } from './money.ts';
import type { Individual, Levy, PlaceYear } from './types.ts';

/** What is due in one place. `marginal`: what of the next `on` of income is due. */
export type Assessment = {
  place: PlaceYear;
  income: Money;
  levies: Levy[];
  total: Money;
  net: Money;
  effectiveRate: Money;
  marginal: { on: Money; due: Money };
  assumes: string[];
  leavesOut: readonly string[];
};

/**
 * What is due on an income, in each place of the request.
 *
 * @throws AlfredError `invalid_request` for a year or a kind of income that a place has no table for, and for amounts
 *   in another currency than a place's
 */
export function calculate(input: TaxInput): Assessment[] {
  const chosen = chooseYears(input.places, input.year);
  checkCurrency(chosen, input.currency);
  return chosen.map((place) =>
    input.entity === 'corporation' ? assessCorporation(place, input) : assessIndividual(place, input),
  );
}

function checkCurrency(chosen: PlaceYear[], currency: string | undefined): void {
  const currencies = [...new Set(chosen.map((place) => place.currency))];
  const other = chosen.find((place) => currency !== undefined && place.currency !== currency);
  if (other)
    throw new AlfredError(
      'invalid_request',
      `Amounts are in ${currency}, and ${other.name} taxes in ${other.currency}. Nothing is converted: give the amounts in ${other.currency}.`,
    );
  if (currencies.length > 1)
    throw new AlfredError(
      'invalid_request',
      `These places tax in ${currencies.join(' and ')}, and nothing is converted: ask for those of one currency at a time.`,
    );
}

/** A step that a rounding to ten or a hundred does not distort. */
const stepOf = ({ currency }: PlaceYear): Money => money(currency === 'JPY' || currency === 'INR' ? 10_000 : 100);

function assessIndividual(place: PlaceYear, input: TaxInput): Assessment {
  const partnerWages = money(input.partnerIncome ?? 0);
  if (!partnerWages.isZero() && !(place.isJoint && input.status === 'married'))
    throw new AlfredError(
      'invalid_request',
      place.isJoint
        ? `An income of a partner counts with the status "married" only, and the status is "${input.status}".`
        : `${place.name} taxes each of a couple alone: ask for the income of each.`,
    );
  const person: Individual = {
    wages: money(input.income),
    partnerWages,
    otherIncome: money(input.otherIncome ?? 0),
    deductions: money(input.deductions ?? 0),
    credits: money(input.credits ?? 0),
    status: input.status,
    children: input.children,
    age: input.age,
    regime: input.regime,
  };
  const due = (wages: Money) => place.individual({ ...person, wages });
  const income = person.wages.plus(partnerWages).plus(person.otherIncome);
  const assumes = [...place.assumes, ...unused(place, input)];
  if (place.incomeMeans) assumes.unshift(`Income is ${place.incomeMeans}.`);
  return { ...measured(place, income, { wages: person.wages, due }), assumes, leavesOut: place.leavesOut };
}

function assessCorporation(place: PlaceYear, input: TaxInput): Assessment {
  const { corporation } = place;
  if (!corporation)
    throw new AlfredError(
      'invalid_request',
      `No plain rate for corporations is known in ${place.name}: ${place.noCorporation}.`,
    );
  const due = (profit: Money) => corporation({ profit, isSmall: input.smallCompany });
  const profit = money(input.income);
  const assumes =
    input.smallCompany && !place.uses.includes('small') ? [`${place.name} has no rate for small companies here.`] : [];
  return { ...measured(place, profit, { wages: profit, due }), assumes, leavesOut: place.corporationLeavesOut };
}

type Measured = { wages: Money; due: (wages: Money) => Levy[] };

function measured(
  place: PlaceYear,
  income: Money,
  { wages, due }: Measured,
): Omit<Assessment, 'assumes' | 'leavesOut'> {
  const levies = due(wages);
  const totalOf = (all: Levy[]) => sum(all.map(({ amount }) => amount));
  const total = totalOf(levies);
  const on = stepOf(place);
  return {
    place,
    income,
    levies,
    total,
    net: income.minus(total),
    effectiveRate: income.isZero() ? zero : total.dividedBy(income),
    marginal: { on, due: max(totalOf(due(wages.plus(on))).minus(total), 0) },
  };
}

/** What was given and makes no difference in this place. */
function unused({ name, uses }: PlaceYear, input: TaxInput): string[] {
  const given = [
    ['status', input.status !== 'single', 'The status'],
    ['children', input.children > 0, 'The number of children'],
    ['age', input.age !== undefined, 'The age'],
  ] as const;
  return given
    .filter(([field, isGiven]) => isGiven && !uses.includes(field))
    .map(([, , label]) => `${label} makes no difference here in ${name}.`);
}
