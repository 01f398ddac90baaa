import { InvalidArgumentError } from 'commander';

type Limits = { from: 0 | 1; like: number };

/** A parser of options that take a whole number. `Number` alone would take `1e3`, `0x10` and an empty text. */
export const wholeNumber =
  ({ from, like }: Limits) =>
  (value: string): number => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < from)
      throw new InvalidArgumentError(`expected a whole number from ${from} on, like ${like}`);
    return number;
  };

/** A parser of options that take US dollars. */
export function dollarAmount(value: string): number {
  const amount = Number(value);
  if (value.trim() === '' || !Number.isFinite(amount) || amount < 0)
    throw new InvalidArgumentError('expected US dollars, like 0.25');
  return amount;
}
