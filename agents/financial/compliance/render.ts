import type { JsonValue } from '../../../contract/json.ts';
import { csvText } from '../../../contract/rules/csv-text.ts';
import { bulletList, fitSections, markdownTable, plainText, textArtifact } from '../tools/render.ts';
import type { ComplianceReport } from './check.ts';
import { shownRow, type Finding } from './finding.ts';

const notIncluded =
  'This is a check by rules, and no legal or tax advice: a finding is a reason to look, and no proof. Not included: sanctions lists, transfer prices, place of supply, deductibility, and whether a tax number was ever given out.';

/** Rows of a finding that are shown in an answer, and in data. */
const shownRows = { answer: 3, data: 20 };
const mostRowsInFile = 200_000;

/** The report for people, in Markdown. */
export function renderReport(report: ComplianceReport, files: readonly string[]): string {
  const { ledger, place, findings, counts, leftOut, notChecked } = report;
  const total = findings.length + leftOut;
  const severities = (['high', 'medium', 'low'] as const)
    .map((severity) => `${findings.filter((one) => one.severity === severity).length} ${severity}`)
    .join(', ');
  const sources = [
    ...new Set(findings.flatMap(({ source }) => (source ? [`${source.law} (as of ${source.asOf})`] : []))),
  ];
  return fitSections(
    [
      `**${ledger.transactions.length} rows checked${place ? ` against the rules of ${place.name}` : ''}**: ${total} findings (${severities}${leftOut > 0 ? `; ${leftOut} more are only counted` : ''}).`,
      counts.size > 0
        ? markdownTable(
            ['rule', 'findings'],
            [...counts].map(([rule, count]) => [rule, String(count)]),
          )
        : '',
      ...findings.map((finding) => renderFinding(report, finding)),
    ],
    [
      notChecked.length > 0 ? `**Not checked**\n\n${bulletList(notChecked, 12)}` : '',
      sources.length > 0 ? `**Sources**: ${sources.slice(0, 8).join('; ')}.` : '',
      ledger.notes.length > 0 ? `**How the tables were read**\n\n${bulletList(ledger.notes.map(plainText), 8)}` : '',
      notIncluded,
      files.length > 0 ? `Files: ${files.join(', ')}.` : '',
    ],
    `The other findings stand in ${files[0] ?? 'the data'}.`,
  );
}

function renderFinding(
  { ledger }: ComplianceReport,
  { rule, severity, finding, action, rows, shows }: Finding,
): string {
  const shown = rows.slice(0, shownRows.answer).map((row) => `  - ${plainText(shownRow(ledger, row, shows))}`);
  const more = rows.length - shown.length;
  return [
    `- ${severity}, ${rule}: ${plainText(finding)}. ${action}`,
    ...shown,
    ...(more > 0 ? [`  - … and ${more} more rows`] : []),
  ].join('\n');
}

/** The report as data, with at most a hundred findings. */
export function reportData({
  ledger,
  place,
  findings,
  counts,
  leftOut,
  notChecked,
}: ComplianceReport): Record<string, JsonValue> {
  return {
    rows: ledger.transactions.length,
    place: place?.name ?? null,
    counts: Object.fromEntries(counts),
    findings: findings.slice(0, 100).map(({ rule, severity, finding, action, rows, shows, source }) => ({
      rule,
      severity,
      finding,
      action,
      rows: rows
        .slice(0, shownRows.data)
        .map(({ table, row }) => ({ table: ledger.tables[table]?.table.name ?? '', row })),
      evidence: rows.slice(0, shownRows.data).map((row) => shownRow(ledger, row, shows)),
      rowCount: rows.length,
      ...(source && { source: { ...source } }),
    })),
    leftOut: leftOut + Math.max(0, findings.length - 100),
    notChecked,
    notes: ledger.notes,
  };
}

/** Every finding with every row of its evidence. */
export function reportFiles({ ledger, findings }: ComplianceReport) {
  if (findings.length === 0) return [];
  const rows = function* () {
    yield ['finding', 'severity', 'rule', 'what', 'do', 'table', 'row', 'cells', 'source'];
    let left = mostRowsInFile;
    for (const [index, { severity, rule, finding, action, rows: evidence, shows, source }] of findings.entries()) {
      const common = [String(index + 1), severity, rule, finding, action];
      const law = source ? `${source.law} (as of ${source.asOf})` : '';
      if (evidence.length === 0) yield [...common, '', '', '', law];
      for (const row of evidence) {
        if (left-- <= 0) return;
        yield [
          ...common,
          ledger.tables[row.table]?.table.name ?? '',
          String(row.row),
          shownRow(ledger, row, shows),
          law,
        ];
      }
    }
  };
  return [textArtifact('findings.csv', 'text/csv', csvText(rows()))];
}
