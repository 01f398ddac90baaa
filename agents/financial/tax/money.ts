import { Decimal as DecimalJs } from 'decimal.js';

/** Exact decimals. 40 digits: an amount of 13 digits times rates of a formula keeps every digit that counts. */
export const Decimal = DecimalJs.clone({ precision: 40, rounding: DecimalJs.ROUND_HALF_UP });
export type Money = DecimalJs;

export const zero: Money = new Decimal(0);
export const money = (value: number | string | Money): Money => new Decimal(value);

export const min = (...values: (Money | number)[]): Money => Decimal.min(...values);
export const max = (...values: (Money | number)[]): Money => Decimal.max(...values);

/** What is left above zero. */
export const atLeastZero = (value: Money): Money => max(value, 0);

/** To the cent, half a cent up. */
export const cents = (value: Money): Money => value.toDecimalPlaces(2, DecimalJs.ROUND_HALF_UP);

/** To a multiple of `unit`, half of it up. */
export const nearest = (value: Money, unit = 1): Money => value.toNearest(unit, DecimalJs.ROUND_HALF_UP);

/** Down to a multiple of `unit`. */
export const floorTo = (value: Money, unit = 1): Money => value.toNearest(unit, DecimalJs.ROUND_FLOOR);

/** Up to a multiple of `unit`. */
export const ceilTo = (value: Money, unit = 1): Money => value.toNearest(unit, DecimalJs.ROUND_CEIL);

export const sum = (values: readonly Money[]): Money => values.reduce<Money>((total, value) => total.plus(value), zero);
