import type { Sandbox, Tool } from '../../../contract/ports/index.ts';
import { analyseStatementsTool } from './analyse-statements.ts';
import { calculateTaxTool } from './calculate-tax.ts';
import { checkTransactionsTool } from './check-transactions.ts';
import type { SourcePorts } from './read-sources.ts';
import { showRatesTool } from './show-rates.ts';

/** The tools of the financial agent. */
export const createFinancialTools = (ports: SourcePorts & { sandbox: Sandbox }): Tool[] => [
  calculateTaxTool,
  showRatesTool,
  analyseStatementsTool(ports),
  checkTransactionsTool(ports),
];
