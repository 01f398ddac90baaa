import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { analyse, type Analysis } from '../../../agents/financial/analysis/analyse.ts';
import {
  analysisCharts,
  analysisData,
  analysisFiles,
  shortAnalysisData,
} from '../../../agents/financial/analysis/analysis-data.ts';
import { renderAnalysis } from '../../../agents/financial/analysis/render.ts';
import type { Table } from '../../../agents/financial/tables/cells.ts';
import { plainText } from '../../../agents/financial/tools/render.ts';
import { readSheets } from '../../../parsing/read-sheets.ts';
import { sheetXml, xlsx } from '../../support/files/office-files.ts';

const csv = async (text: string, name = 'books.csv'): Promise<Table[]> =>
  (await readSheets({ name, mediaType: '', bytes: Buffer.from(text) })).map((sheet) => ({ ...sheet, name }));
const example = () => readFile(new URL('../../../docs/examples/financial/statements.csv', import.meta.url), 'utf8');
const ratio = (analysis: Analysis, key: string, period: string) =>
  analysis.measured.find((one) => one.key === key && one.period.id === period);

test('a ratio has its formula, its numbers and the cells that they stand in', async () => {
  const analysis = await analyse(await csv(await example()));
  expect(ratio(analysis, 'currentRatio', '2025')).toMatchObject({
    formula: 'current assets ÷ current liabilities',
    calculation: '1010000 [books.csv!D18] ÷ 520000 [books.csv!D22]',
    inputs: [
      { name: 'current assets', from: { sheet: 'books.csv', cell: 'D18', text: '1,010.0' } },
      { name: 'current liabilities', from: { cell: 'D22', text: '520.0' } },
    ],
  });
  expect(ratio(analysis, 'currentRatio', '2025')?.value.toFixed(4)).toBe('1.9423');
  // Net profit over the mean of two years' equity.
  expect(ratio(analysis, 'returnOnEquity', '2025')?.value.toFixed(4)).toBe((308.6 / ((890 + 1030) / 2)).toFixed(4));
  expect(analysis.trends.find(({ key, kind }) => key === 'revenue' && kind === 'cagr')?.value.toFixed(6)).toBe(
    (Math.sqrt(3120 / 2480) - 1).toFixed(6),
  );
  expect(analysis.statements.unrecognised).toEqual([
    { sheet: 'books.csv', cell: 'A11', text: 'Barista championship costs' },
  ]);
  expect(analysis.notComputed).toContainEqual({
    name: 'free cash flow',
    periods: ['2023', '2024', '2025'],
    reason: 'missing: operating cash flow, capital expenditure',
  });
});

test('every number of every cell that is cited stands there in the file', async () => {
  const tables = await csv(await example());
  const { ratios, trends, anomalies } = analysisData(await analyse(tables)) as Record<
    string,
    { inputs?: Cell[]; cells?: Cell[] }[]
  >;
  type Cell = { cell: string; text: string; value: string };
  const cells = [...ratios!, ...trends!]
    .flatMap(({ inputs = [] }) => inputs)
    .concat(anomalies!.flatMap((one) => one.cells ?? []));
  expect(cells.length).toBeGreaterThan(100);
  for (const { cell, text, value } of cells) {
    const [, column = '', row = ''] = /^([A-Z])(\d+)$/.exec(cell) ?? [];
    const found = tables[0]!.rows.find((one) => one.row === Number(row))?.texts[column.charCodeAt(0) - 65];
    expect(found).toBe(text);
    // The example is in thousands.
    expect(Math.abs(Number(value))).toBeCloseTo(Number(text.replace(/[,()]/g, '')) * 1000, 6);
  }
});

test('a workbook gives the same as the CSV file, and sheets that name a unit are not mixed with ones that do not', async () => {
  const rows = [
    ['P&amp;L', 2023, 2024],
    ['Net sales', 1000, 1200],
    ['COGS', 600, 780],
  ];
  const read = (name: string) =>
    readSheets({
      name: 'a.xlsx',
      mediaType: '',
      bytes: xlsx([
        { name, xml: sheetXml(rows) },
        {
          name: 'Balance',
          xml: sheetXml([
            ['', 2023, 2024],
            ['Total assets', 500, 600],
          ]),
        },
      ]),
    });
  const analysis = await analyse(await read('Income'));
  expect(ratio(analysis, 'grossMargin', '2024')).toMatchObject({
    calculation: '(1200 [Income!C2] − 780 [Income!C3]) ÷ 1200 [Income!C2]',
  });
  await expect(analyse([])).rejects.toThrow('No periods');
  const mixed = await read('Income in EUR m');
  await expect(analyse(mixed)).rejects.toThrow('Balance says nothing. Give `scale`');
  expect(ratio(await analyse(mixed, { scale: 1_000_000 }), 'assetTurnover', '2023')?.value.toString()).toBe('2');
});

describe('what is not clear is refused, with what to do', () => {
  test.each([
    ['Revenue,a lot\nCosts,5\n', 'No periods were found'],
    ['item,2024\nMystery,5\n', 'No line of books.csv has a known name (found: Mystery)'],
    ['item,2023,2024\nRevenue,"1,234",1500\n', 'decimalMark'],
    ['item,2023,2024\nRevenue,"1.234,5","1,234.5"\n', 'two kinds'],
    ['"P&L, EUR",2024\nRevenue,5\n\n"Balance sheet, USD",2024\nCash,5\n', 'several currencies (EUR, USD)'],
  ])('%j', async (text, message) => {
    const tables = await csv(text);
    await expect(analyse(tables)).rejects.toThrow(message);
  });

  test('unless the request says it', async () => {
    const tables = await csv('item,2023,2024\nRevenue,"1,234",1500\nGross profit,"0,617",750\n');
    expect(ratio(await analyse(tables, { decimalMark: ',' }), 'grossMargin', '2023')?.value.toString()).toBe('0.5');
  });
});

test('two lines of one name with other figures are used neither, and a dash, a percentage and a plan are no figures', async () => {
  const analysis = await analyse(
    await csv(
      'item,2023,2024,2025 Budget\nRevenue,100,110,500\nRevenue,100,115,500\nGross profit,–,n/a,\nGross margin,45%,46%,\nEquity,x,50,\n',
    ),
  );
  expect(analysis.anomalies).toContainEqual(expect.objectContaining({ rule: 'two-figures', periods: ['2024'] }));
  expect(analysis.statements.lines.get('revenue')?.values.get('2024')).toBeUndefined();
  expect(analysis.statements.lines.has('grossProfit')).toBe(false);
  expect(analysis.statements.periods.map(({ id }) => id)).toEqual(['2023', '2024']);
  expect(analysis.statements.unreadable).toEqual([{ sheet: 'books.csv', cell: 'B6', text: 'x' }]);
  expect(analysis.statements.notes.join(' ')).toContain('2025 Budget (D1)');
});

test('names that are not in the dictionary are never taken for one that is', async () => {
  const analysis = await analyse(
    await csv(
      'item,2024\nRevenue,10\nRevenue from discontinued operations,7\nCash deposits pledged,9\nNet income attributable to parent,3\n',
    ),
  );
  expect([...analysis.statements.lines.keys()]).toEqual(['revenue']);
  expect(analysis.statements.unrecognised).toHaveLength(3);
});

test('changes in a cash flow statement are not the balances of the same names', async () => {
  const analysis = await analyse(
    await csv(
      'Cash flow statement,2024\nNet income,10\nInventories,-4\nTrade receivables,-6\nCash flow from operating activities,5\n',
    ),
  );
  expect([...analysis.statements.lines.keys()]).toEqual(['netIncome', 'operatingCashFlow']);
});

describe('cash runway', () => {
  test('is cash by the mean burn of the last months', async () => {
    const months =
      'Month,Operating cash flow,Capex,Cash\nOct 2025,-90,-10,800\nNov 2025,-110,-10,680\nDec 2025,-100,-10,570\n';
    const { runway } = await analyse(await csv(months));
    expect([runway?.burnPerMonth.toString(), runway?.months?.toFixed(2), runway?.over]).toEqual([
      '110',
      '5.18',
      ['2025-10', '2025-11', '2025-12'],
    ]);
    expect((await analyse(await csv(months), { burnMonths: 1 })).runway?.over).toEqual(['2025-12']);
  });

  test('has no end while cash grows, and is not computed without cash', async () => {
    expect((await analyse(await csv('item,2023,2024\nCash,5,9\n'))).runway).toMatchObject({ months: undefined });
    expect((await analyse(await csv('item,2023,2024\nRevenue,5,9\n'))).notComputed).toContainEqual({
      name: 'cash runway',
      periods: [],
      reason: 'missing: cash',
    });
  });
});

test('sound statements have no anomalies', async () => {
  const text = `item,2022,2023,2024\nRevenue,1000,1080,1150\nCost of sales,600,640,690\nGross profit,400,440,460\nTotal current assets,500,520,540\nTotal non-current assets,300,310,320\nTotal assets,800,830,860\nTotal current liabilities,200,210,215\nTotal liabilities,350,360,365\nEquity,450,470,495\n`;
  expect((await analyse(await csv(text))).anomalies).toEqual([]);
});

test('labels that are formulas are harmless in files, and markup of a file is text in the answer', async () => {
  const analysis = await analyse(
    await csv('item,2023,2024\nRevenue,10,12\n"=HYPERLINK(""http://x"")",1,2\n"<b>[x](http://y)</b>",1,2\n'),
  );
  const files = analysisFiles(analysis);
  for (const { name, bytes } of files.filter((file) => file.name.endsWith('.csv')))
    for (const line of Buffer.from(bytes).toString().split('\n'))
      expect([name, line]).not.toEqual([name, expect.stringMatching(/(^|,)"?=/)]);
  const answer = renderAnalysis(
    analysis,
    files.map(({ name }) => name),
  );
  expect(answer).not.toContain('<b>');
  expect(answer.length).toBeLessThanOrEqual(8_000);
  expect(analysisCharts(analysis).map(({ name }) => name)).toEqual(['revenue-and-profit']);
});

test('an answer about many periods and lines stays short', async () => {
  const months = Array.from(
    { length: 36 },
    (_, n) => `${2022 + Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`,
  );
  const row = (name: string, from: number) => `${name},${months.map((_, n) => from + n * (n % 5)).join(',')}`;
  const odd = Array.from({ length: 200 }, (_, n) => row(`Unknown line with a long name ${n}`, n));
  const analysis = await analyse(
    await csv(
      [
        'item,' + months.join(','),
        row('Revenue', 900),
        row('Cost of sales', 500),
        row('Cash', 300),
        row('Total assets', 800),
        row('Equity', 350),
        ...odd,
      ].join('\n'),
    ),
  );
  const answer = renderAnalysis(analysis, ['ratios.csv']);
  expect(answer.length).toBeLessThanOrEqual(8_000);
  expect(answer).toContain('Files: ratios.csv.');
});

test('the data of a result stays short, has the newest ratios, and says how much more its file has', async () => {
  const months = Array.from(
    { length: 36 },
    (_, n) => `${2022 + Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`,
  );
  const [first, ...rest] = (await example()).split('\n\n');
  expect(first).toBeDefined();
  const rows = [first, ...rest]
    .join('\n')
    .split('\n')
    .flatMap((line) => {
      const [label = '', , value = ''] = line.match(/("[^"]*"|[^,]*)(?=,|$)/g)?.filter(Boolean) ?? [];
      return /\d/.test(value) && !/20\d\d/.test(line) ? [`${label},${months.map(() => value).join(',')}`] : [];
    });
  const odd = Array.from(
    { length: 300 },
    (_, n) => `${'Unknown line '.repeat(200)}${n},${months.map(() => n).join(',')}`,
  );
  const analysis = await analyse(
    await csv([`item,${months.join(',')}`, ...rows, ...odd].join('\n'), `${'long '.repeat(40)}.csv`),
  );
  const data = shortAnalysisData(analysis);
  expect(JSON.stringify(data).length).toBeLessThanOrEqual(20_000);
  expect((data.ratios as { period: string }[])[0]?.period).toBe('2024-12');
  expect(data.leftOut).toMatchObject({
    ratios: expect.any(Number),
    unrecognised: expect.any(Number),
    file: 'analysis.json',
  });
});

test('more than one analysis takes is refused, and it ends when it is cancelled', async () => {
  const years = (count: number) => Array.from({ length: count }, (_, n) => `${1900 + n}`);
  const wide = (count: number) => [`item,${years(count).join(',')}`, `Revenue,${years(count).join(',')}`].join('\n');
  await expect(analyse(await csv(wide(121)))).rejects.toThrow('121 periods, and one analysis takes 120');
  expect((await analyse(await csv(wide(120)))).statements.periods).toHaveLength(120);
  const long = [{ row: 1, texts: ['item', ...Array.from({ length: 501 }, () => '2024')] }];
  await expect(analyse([{ name: 'long', rows: long }])).rejects.toThrow('502 figures beside');
  const rows = Array.from({ length: 4_000 }, (_, n) => ({ row: n + 1, texts: Array.from({ length: 26 }, () => '1') }));
  await expect(analyse([{ name: 'big', rows }])).rejects.toThrow('104000 cells, and one analysis takes 100000');
  const aborted = AbortSignal.abort(new Error('cancelled'));
  await expect(analyse(await csv(wide(3)), {}, aborted)).rejects.toThrow('cancelled');
});

test.each([
  ['[pay](http://x)', '\\[pay\\](http://x)'],
  ['![pay](http://x)', '!\\[pay\\](http://x)'],
  ['as in [1]', 'as in \\[1\\]'],
  ['\\[pay\\](http://x)', '\\\\\\[pay\\\\\\](http://x)'],
  ['[a!B4](http://x)', '\\[a!B4\\](http://x)'],
  ['5 [books 2.csv!B4] ÷ (2)', '5 [books 2.csv!B4] ÷ (2)'],
])('%s of a file is no link, image or citation', (text, shown) => expect(plainText(text)).toBe(shown));
