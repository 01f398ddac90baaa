import { Option, type Command } from 'commander';
import { usageGroups, UsageReport, type UsageGroup, type UsageRow } from '../../contract/usage.ts';
import type { TaskUsage } from '../../contract/task.ts';
import type { CommandContext } from '../command-context.ts';
import type { OfOption } from './list-options.ts';
import { formatDollars } from '../../contract/rules/format.ts';
import { table } from '../terminal/terminal.ts';

type Options = OfOption & { from?: string; to?: string; by: string; json?: boolean };

export function addUsage(program: Command, { api, terminal }: CommandContext) {
  program
    .command('usage')
    .description('what models were asked, and what it cost')
    .option('--from <day>', 'first day, like 2026-11-01 (UTC); default: the last 30 days')
    .option('--to <day>', 'last day, included; default: today')
    .option('--by <groups>', `what to sum by: some of ${usageGroups.join(', ')}`, 'day,agent,model')
    .addOption(usageOfOption())
    .option('--json', 'as JSON')
    .action(async ({ json, ...query }: Options) => {
      const by = query.by.replaceAll(' ', '');
      const report = await api.call('/v1/usage', { query: { ...query, by }, answer: UsageReport });
      if (json) return terminal.printJson(report);
      terminal.note(`${report.from} to ${report.to}, UTC`, 'dim');
      if (report.rows.length === 0) return terminal.note('No model was called in these days.');
      terminal.print(usageTable(report, [...new Set(by.split(','))] as UsageGroup[]));
    });
}

const usageOfOption = () =>
  new Option('--of <whose>', 'own: your tasks alone; tenant: needs a role, and is the default with it').choices([
    'own',
    'tenant',
  ]);

const headings = ['CALLS', 'FAILED', 'INPUT', 'CACHED', 'WRITTEN', 'OUTPUT', 'COST'];

/** A table: group columns aligned left, number columns aligned right, the total in the last row. */
function usageTable({ rows, total }: UsageReport, by: UsageGroup[]): string {
  const totalFailed = rows.reduce((failed, row) => failed + failedOf(row), 0);
  const numbers = [
    headings,
    ...rows.map((row) => numbersOf(row.usage, failedOf(row))),
    ...(rows.length > 1 ? [numbersOf(total, totalFailed)] : []),
  ];
  const widths = headings.map((_, column) => Math.max(...numbers.map((row) => row[column]?.length ?? 0)));
  const groups = [
    by.map((group) => group.toUpperCase()),
    ...rows.map((row) => by.map((group) => row[group] ?? '')),
    by.map((_, column) => (column === 0 ? 'total' : '')),
  ];
  return table(
    numbers.map((row, line) => [
      ...(groups[line] ?? []),
      ...row.map((cell, column) => cell.padStart(widths[column] ?? 0)),
    ]),
  );
}

const numbersOf = (usage: TaskUsage, failed: number) => [
  ...[
    usage.modelCalls,
    failed,
    usage.inputTokens,
    usage.cacheReadTokens,
    usage.cacheWriteTokens,
    usage.outputTokens,
  ].map((number) => number.toLocaleString('en-US')),
  formatDollars(usage.costUsd),
];

/** Model calls without a complete response. */
const failedOf = ({ outcomes, usage }: UsageRow) => usage.modelCalls - (outcomes['completed'] ?? 0);
