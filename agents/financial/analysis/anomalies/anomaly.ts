import type { Decimal } from 'decimal.js';
import type { CellNumber } from '../../tables/cells.ts';
import { shownAmount, type Figures } from '../figures.ts';
import type { Measured } from '../measure.ts';
import type { Period } from '../periods.ts';
import type { Statements } from '../read-statements.ts';

/** What a person should look at. `rule` with its limit, `finding` with the figures; `cells` they came from. */
export type Anomaly = {
  rule: string;
  severity: 'high' | 'medium' | 'low';
  periods: string[];
  finding: string;
  limit: string;
  cells: CellNumber[];
};

/** From where on something stands out; a request can change each. */
export type AnomalyLimits = {
  /** Change against the period before, as a share, where there are few periods. */
  change: number;
  /** Deviation from the neighbouring periods, in robust standard deviations, where there are many. */
  deviation: number;
  /** Change of the gross margin, as a share. */
  marginSwing: number;
  /** How much faster receivables or inventory grow than sales, as a share. */
  outgrowth: number;
  currentRatio: number;
  interestCoverage: number;
  runwayMonths: number;
};
export const usualLimits: AnomalyLimits = {
  change: 0.5,
  deviation: 5,
  marginSwing: 0.1,
  outgrowth: 0.2,
  currentRatio: 1,
  interestCoverage: 1.5,
  runwayMonths: 6,
};

/** What the rules read. `unit`: one of the smallest figures that the statements write, 1000 in thousands. */
export type Examined = {
  statements: Statements;
  figures: Figures;
  measured: readonly Measured[];
  limits: AnomalyLimits;
  unit: Decimal;
};

export const shownWith = ({ value, from }: CellNumber) => `${shownAmount(value)} [${from.sheet}!${from.cell}]`;
export const percentText = (share: Decimal | number) => `${(Number(share) * 100).toFixed(1)} %`;
export const idsOf = (periods: readonly Period[]) => periods.map(({ id }) => id);
