import type { Tool } from '../../../contract/ports/index.ts';
import { calculateTaxTool } from './calculate-tax.ts';
import { showRatesTool } from './show-rates.ts';

/** The tools of the financial agent. */
export const createFinancialTools = (): Tool[] => [calculateTaxTool, showRatesTool];
