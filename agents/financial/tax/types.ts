import type { PlaceId } from '../intents.ts';
import type { Money } from './money.ts';

/** Where figures come from: a law or a publication, and its date as far as known: 2024, 2024-10-22. */
export type Source = { name: string; date: string; url?: string };

/** What every table of a place and a year begins with. */
export type TableHead = {
  /** "2025", or "2025-26" where a tax year has parts of two. */
  year: string;
  /** Which days or which income the year means, in words. */
  period: string;
  sources: readonly Source[];
};

/** Upper end of a bracket, `null` for the last, and the rate within it. */
export type Brackets = readonly (readonly [upTo: number | null, rate: number])[];

/** A line of a calculation. */
export type Part = { label: string; amount: Money };

/** One tax or contribution. `base` adds up to `taxable`, and `parts` add up to `amount`, to the cent. */
export type Levy = {
  name: string;
  kind: 'tax' | 'contribution';
  base: readonly Part[];
  taxable: Money;
  parts: readonly Part[];
  amount: Money;
};

export type Status = 'single' | 'married' | 'separate' | 'head';

/** What an individual's tax is worked out from, all amounts in the currency of the place. */
export type Individual = {
  wages: Money;
  partnerWages: Money;
  otherIncome: Money;
  deductions: Money;
  credits: Money;
  status: Status;
  children: number;
  age: number | undefined;
  regime: 'new' | 'old';
};

export type Corporation = { profit: Money; isSmall: boolean };

/** Rows of a rate sheet: what it is, and how much. */
export type RateSection = { title: string; rows: readonly (readonly [label: string, value: string])[] };

/** The same code for every year of a place; `T` is its table. */
export type PlaceRules<T extends TableHead> = {
  id: PlaceId;
  name: string;
  currency: string;
  /** By year, oldest first. */
  tables: readonly T[];
  /** What `income` of an individual means here, where it is not the gross wage. */
  incomeMeans?: string;
  /** Couples are assessed together here. */
  isJoint?: true;
  /** What else of the input makes a difference here, beside income, deductions and credits. */
  uses: readonly ('status' | 'children' | 'age' | 'regime' | 'small')[];
  individual: (person: Individual, table: T) => Levy[];
  /** Absent where a corporation's tax is no plain rate. */
  corporation?: (corporation: Corporation, table: T) => Levy[];
  /** Why there is none. */
  noCorporation?: string;
  rates: (table: T) => RateSection[];
  /** What is taken for granted. */
  assumes: readonly string[];
  /** What an answer for an individual leaves out. */
  leavesOut: readonly string[] | ((table: T) => readonly string[]);
  corporationLeavesOut?: readonly string[];
  /** Gross wages at which the tax of a single person without children jumps, in words for the reader. */
  cliffs?: (table: T) => readonly Cliff[];
};

/** `from`–`to`: the jump lies between these gross wages. */
export type Cliff = { from: number; to: number; why: string };

/** A place in a year: its rules, bound to the table of the year. */
export type PlaceYear = Pick<
  PlaceRules<TableHead>,
  'id' | 'name' | 'currency' | 'incomeMeans' | 'isJoint' | 'uses' | 'noCorporation'
> &
  TableHead & {
    individual: (person: Individual) => Levy[];
    corporation?: (corporation: Corporation) => Levy[];
    rates: () => RateSection[];
    assumes: readonly string[];
    leavesOut: readonly string[];
    corporationLeavesOut: readonly string[];
    cliffs: () => readonly Cliff[];
  };
