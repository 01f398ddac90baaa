import { AlfredError } from '../../../contract/errors.ts';
import { typedTool } from '../../tools/typed-tool.ts';
import { renderReport, reportData, reportFiles } from '../compliance/render.ts';
import { ComplianceInput } from '../intents.ts';
import { given } from './analyse-statements.ts';
import { readSources, type SourcePorts } from './read-sources.ts';

const description = `Checks payments, invoices or bookings against rules: limits of cash and splits below them, approvals, missing fields, wrong tax numbers, duplicates (also nearly the same ones), taxes that are not rate × net, rates that the place does not have, round amounts, weekends, holidays and days to come, gaps in numbers.
Tables come as CSV, JSON or documents (CSV, XLSX, JSON), 100,000 rows at most. Each finding has its rule, severity, rows and what to do. The person gets all of them as findings.csv: name it.
Give \`place\` when the person names a country or state. Amounts and days that can be read in two ways are refused: ask the person and give \`decimalMark\` or \`dateOrder\`.`;

const timeoutMs = 240_000;

/** Checks transactions: every finding comes from a rule and names its rows. */
export const checkTransactionsTool = (ports: SourcePorts) =>
  typedTool({
    name: 'check_transactions',
    description,
    answers: true,
    input: ComplianceInput,
    timeoutMs,
    check({ from, to }) {
      if (from !== undefined && to !== undefined && from > to)
        throw new AlfredError('invalid_request', `from (${from}) is after to (${to}). Give the first day as from.`);
    },
    async run({ transactions, today, from, to, limits, ...options }, { scope, signal }) {
      const tables = await readSources(ports, transactions, { scope, signal });
      // Holidays and tax numbers of all countries take 50 MB: they are loaded for the first check.
      const { check } = await import('../compliance/check.ts');
      const report = await check(
        tables,
        {
          ...options,
          today: today ?? new Date().toISOString().slice(0, 10),
          period: { from, to },
          limits: given(limits),
        },
        signal,
      );
      const artifacts = reportFiles(report);
      const total = report.findings.length + report.leftOut;
      return {
        output: {
          answer: renderReport(
            report,
            artifacts.map(({ name }) => name),
          ),
          data: reportData(report),
        },
        summary: `${report.ledger.transactions.length} rows, ${total} findings`,
        artifacts,
      };
    },
  });
