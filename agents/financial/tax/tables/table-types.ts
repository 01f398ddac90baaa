import type { Brackets, Status, TableHead } from '../types.ts';

/** What the table of a place has. Amounts are in the currency of the place, rates are shares of one. */

export type UsTable = TableHead & {
  brackets: Record<Status, Brackets>;
  standardDeduction: Record<Status, number>;
  /** What is added to the standard deduction from 65 on. */
  aged: { unmarried: number; married: number };
  seniorDeduction: null | { amount: number; rate: number; from: { single: number; married: number } };
  childCredit: { amount: number; from: { single: number; married: number } };
  socialSecurity: { rate: number; upTo: number };
  medicare: { rate: number; additionalRate: number; from: Record<Status, number> };
  corporationRate: number;
};

export type CaliforniaTable = TableHead & {
  brackets: Record<Status, Brackets>;
  standardDeduction: Record<Status, number>;
  /** Credits a person and a dependent; each 6 dollars less for every 2,500 above `from`. */
  exemptionCredit: { person: number; dependent: number; from: Record<Status, number> };
  behavioralHealth: { rate: number; from: number };
  disabilityInsurance: number;
  corporation: { rate: number; least: number };
};

type Capped = { rate: number; atMost: number };

export type Recapture = {
  flat: number;
  upTo: number;
  /** Above which taxable income, what is taken back of the lower brackets, and what is added over `over`. */
  steps: readonly (readonly [from: number, base: number, more: number])[];
};

export type NewYorkTable = TableHead & {
  brackets: Record<Status, Brackets>;
  standardDeduction: Record<Status, number>;
  dependentExemption: number;
  /** Tax Law § 601(d): the benefit of the lower brackets is taken back as adjusted gross income grows. */
  recapture: Record<Status, Recapture> & { from: number; over: number; all: { rate: number; from: number } };
  familyLeave: Capped;
  disabilityInsurance: Capped;
};

/** A state without a tax on the income of individuals. */
export type StateTable = TableHead & { corporation?: { rate: number; exempt: number } };

/** What all of the United Kingdom shares in a year. */
export type UkTable = TableHead & {
  /** Of taxable income, above the personal allowance. */
  brackets: Brackets;
  personalAllowance: { amount: number; taperFrom: number };
  nationalInsurance: { from: number; mainRate: number; upTo: number; upperRate: number };
  corporation: { small: { rate: number; upTo: number }; rate: number; relief: { fraction: number; upTo: number } };
};

type SmallBusiness = { rate: number; smallRate: number; smallUpTo: number };

export type CanadaTable = TableHead & {
  brackets: Brackets;
  /** Amounts reduce the tax at this rate. */
  creditRate: number;
  basicAmount: { most: number; least: number; from: number; to: number };
  employmentAmount: number;
  pension: {
    exempt: number;
    upTo: number;
    baseRate: number;
    /** What makes the enhanced contribution, which is deducted from income. */
    enhancedRate: number;
    secondRate: number;
    secondUpTo: number;
  };
  insurance: { rate: number; upTo: number };
  corporation: SmallBusiness;
};

export type OntarioTable = TableHead & {
  brackets: Brackets;
  creditRate: number;
  basicAmount: number;
  /** Each rate is added above its threshold. */
  surtax: readonly (readonly [rate: number, from: number])[];
  reduction: { basic: number; child: number };
  /** From which taxable income on, at which rate, up to which premium. */
  healthPremium: readonly (readonly [from: number, rate: number, upTo: number])[];
  corporation: SmallBusiness;
};

export type AustraliaTable = TableHead & {
  brackets: Brackets;
  lowIncomeOffset: { most: number; tapers: readonly { from: number; to: number; rate: number }[] };
  /** `threshold` is null where it is not known. */
  medicare: { rate: number; threshold: null | { from: number; rate: number } };
  corporation: { rate: number; smallRate: number };
};

export type SingaporeTable = TableHead & {
  brackets: Brackets;
  /** By age, youngest first. */
  earnedIncomeRelief: readonly (readonly [fromAge: number, amount: number])[];
  rebate: { rate: number; atMost: number };
  corporation: { rate: number; exempt: readonly (readonly [upTo: number, share: number])[] };
};

export type JapanTable = TableHead & {
  brackets: Brackets;
  employment: {
    least: { upTo: number; deduction: number };
    /** Up to which salary, which share of it, and what is added. */
    steps: readonly (readonly [upTo: number, rate: number, added: number])[];
    most: number;
    /** Below it, the official table counts in steps of 4,000 yen. */
    tabled: number;
  };
  /** Up to which total income, how much. */
  basicDeduction: readonly (readonly [upTo: number, amount: number])[];
  reconstruction: number;
  fixedReduction: null | { amount: number; upTo: number };
  inhabitant: {
    basicDeduction: readonly (readonly [upTo: number, amount: number])[];
    rates: readonly (readonly [name: string, rate: number])[];
    perHead: number;
    exemptUpTo: number;
    adjustment: { difference: number; rate: number; least: number; from: number; upTo: number };
  };
  corporation: SmallBusiness & { local: number };
};

export type IndiaRegime = {
  brackets: Brackets;
  /** Brackets from an age on, youngest first. */
  olderBrackets?: readonly (readonly [fromAge: number, Brackets])[];
  standardDeduction: number;
  rebate: { upTo: number; atMost: number; hasRelief: boolean };
  surcharge: readonly (readonly [from: number, rate: number])[];
};

export type IndiaTable = TableHead & {
  new: IndiaRegime;
  old: IndiaRegime;
  cess: number;
  corporation: { rate: number; surcharge: number };
};

type LinearZone = { rate: number; less: number };

export type GermanyTable = TableHead & {
  /** § 32a (1) EStG. */
  tariff: {
    free: number;
    first: { upTo: number; a: number; b: number };
    second: { upTo: number; a: number; b: number; c: number };
    third: LinearZone & { upTo: number };
    fourth: LinearZone;
  };
  solidarity: { rate: number; taper: number; free: number };
  employeeLump: number;
  specialExpenses: { lump: number; ceiling: number };
  /** Shares of the employee; `health.rate` and `additional` are shared with the employer. */
  insurance: {
    pension: number;
    unemployment: number;
    pensionUpTo: number;
    health: { rate: number; additional: number };
    care: { rate: number; childless: number; perChild: number };
    healthUpTo: number;
  };
  corporation: { rate: number; solidarity: number };
};

export type FranceTable = TableHead & {
  brackets: Brackets;
  expenses: { rate: number; least: number; most: number };
  /** What a half-part saves at most. */
  cap: { half: number; firstOfSingleParent: number };
  decote: Record<'single' | 'married', { base: number; rate: number }>;
  leastCollected: number;
  highIncome: Record<'single' | 'married', Brackets>;
  corporation: SmallBusiness;
};

export type IrelandTable = TableHead & {
  rates: { standard: number; higher: number };
  /** What is taxed at the standard rate. */
  bands: { single: number; married: number; secondEarner: number; singleParent: number };
  credits: { personal: number; employee: number; singleParent: number };
  socialCharge: { exemptUpTo: number; brackets: Brackets };
  /** `exemptUpTo` and `credit` are weekly; each rate has its share of the year. */
  socialInsurance: { exemptUpTo: number; credit: number; rates: readonly (readonly [share: number, rate: number])[] };
  corporation: { rate: number };
};
