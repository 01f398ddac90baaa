import type { Sandbox, Tool } from '../../../contract/ports/index.ts';
import { analyseStatementsTool } from './analyse-statements.ts';
import { calculateTaxTool } from './calculate-tax.ts';
import { checkTransactionsTool } from './check-transactions.ts';
import { lookUpRatesTool } from './look-up-rates.ts';
import type { SourcePorts } from './read-sources.ts';

/** The tools of the financial agent. */
export const createFinancialTools = (ports: SourcePorts & { sandbox: Sandbox }): Tool[] => [
  calculateTaxTool,
  lookUpRatesTool,
  analyseStatementsTool(ports),
  checkTransactionsTool(ports),
];
