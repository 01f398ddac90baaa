import type { Tool } from '../../../contract/ports/index.ts';
import { calculateTaxTool } from './calculate-tax.ts';
import { lookUpRatesTool } from './look-up-rates.ts';

/** The tools of the financial agent. */
export const createFinancialTools = (): Tool[] => [calculateTaxTool, lookUpRatesTool];
