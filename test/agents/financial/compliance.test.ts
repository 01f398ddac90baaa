import { readFile } from 'node:fs/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { check, type ComplianceOptions } from '../../../agents/financial/compliance/check.ts';
import { places } from '../../../agents/financial/compliance/data/places.ts';
import { renderReport, reportData, reportFiles } from '../../../agents/financial/compliance/render.ts';
import { findDuplicates, plainInvoice } from '../../../agents/financial/compliance/rules/duplicates.ts';
import { findOddDates } from '../../../agents/financial/compliance/rules/dates.ts';
import { findApprovals, findCash, findRoundAmounts } from '../../../agents/financial/compliance/rules/limits.ts';
import { findMissing } from '../../../agents/financial/compliance/rules/missing.ts';
import { findNumberGaps } from '../../../agents/financial/compliance/rules/numbering.ts';
import { usualComplianceLimits } from '../../../agents/financial/compliance/finding.ts';
import { findWrongTaxes, findWrongTaxIds } from '../../../agents/financial/compliance/rules/taxes.ts';
import { taxIdFault } from '../../../agents/financial/compliance/tax-ids.ts';
import { readSheets } from '../../../parsing/read-sheets.ts';

const today = '2026-03-01';
const run = async (text: string, options: Partial<ComplianceOptions> = {}) => {
  const sheets = await readSheets({ name: 'pay.csv', mediaType: '', bytes: Buffer.from(text) });
  return check(
    sheets.map((sheet) => ({ ...sheet, name: 'pay.csv' })),
    { today, ...options },
  );
};
/** Rules and rows of what was found. */
const found = async (text: string, options: Partial<ComplianceOptions> = {}) =>
  (await run(text, options)).findings
    .map(({ rule, rows }) => `${rule} ${rows.map(({ row }) => row).join(' ')}`.trim())
    .sort();

test('the example has one finding of each kind that was put there', async () => {
  const text = await readFile(new URL('../../../docs/examples/financial/payments.csv', import.meta.url), 'utf8');
  expect(await found(text, { place: 'de', limits: { approvalLimits: [5_000] } })).toEqual([
    'approval-missing 12',
    'cash-limit 8',
    'duplicate-invoice 2 6',
    'just-below-limit 3',
    'missing-field 9',
    'split-payment 3 4',
    'tax-amount 10',
    'tax-number 5',
    'tax-rate 11',
    'weekend 7',
  ]);
});

describe('duplicates', () => {
  const table = (...rows: string[]) => `Date,Supplier,Invoice,Amount\n${rows.join('\n')}\n`;

  test.each([
    [
      'the same row twice',
      ['2026-01-05,Acme Ltd,7011,100', '2026-01-05,ACME Limited,7011,100'],
      ['duplicate-exact 2 3'],
    ],
    ['spellings of a number', ['2026-01-05,Acme,INV-0071O,100', '2026-02-05,Acme,inv 710,100'], []],
    [
      'spellings with O for 0',
      ['2026-01-05,Acme,INV-0071O,100', '2026-02-05,Acme,00710,100'],
      ['duplicate-invoice 2 3'],
    ],
    ['one amount within days', ['2026-01-05,Acme,A1,100', '2026-01-08,Acme,B7,100'], ['duplicate-near 2 3']],
    ['one amount weeks apart', ['2026-01-05,Acme,A1,100', '2026-02-08,Acme,B7,100'], []],
    ['other parties', ['2026-01-05,Acme,7011,100', '2026-01-05,Bolt,7011,100'], []],
    ['an invoice and its reversal', ['2026-01-05,Acme,7011,100', '2026-01-06,Acme,7011,-100'], []],
    ['a weekly subscription', ['2026-01-05,Acme,A1,9', '2026-01-12,Acme,A2,9', '2026-01-19,Acme,A3,9'], []],
  ])('%s', async (name, rows, expected) => {
    const wanted = name === 'spellings of a number' ? ['duplicate-invoice 2 3'] : expected;
    expect((await found(table(...rows))).filter((one) => one.startsWith('duplicate'))).toEqual(wanted);
  });

  test.each([
    ['INV-00123', '123'],
    ['Invoice No. 123', '123'],
    ['RE 2025/0017', '2025' + '0017'],
    ['#123', '123'],
    ['R-E', 'RE'],
    ['ABC-1', 'ABC1'],
  ])('the number %s is %s', (text, plain) => expect(plainInvoice(text)).toBe(plain));
});

describe('cash', () => {
  const table = (...rows: string[]) => `Date,Payer,Amount,Payment method\n${rows.join('\n')}\n`;

  test('the limit itself counts where the law has it so', async () => {
    const at = table(
      '2026-01-05,Ann,"10,000.00",cash',
      '2026-01-06,Bob,"9,999.99",cash',
      '2026-01-07,Cy,"20,000.00",card',
    );
    expect((await found(at, { place: 'us' })).filter((one) => one.startsWith('cash'))).toEqual([]);
    expect((await found(at, { place: 'au' })).filter((one) => one.startsWith('cash'))).toEqual(['cash-limit 2']);
    expect(
      (await found(at, { place: 'us', limits: { cashLimit: 9_000 } })).filter((one) => one.startsWith('cash')),
    ).toEqual(['cash-limit 2 3']);
    expect((await found(at)).filter((one) => one.startsWith('cash'))).toEqual([]);
  });

  test('payments of one person within days count together', async () => {
    const split = table(
      '2026-01-05,Ann,"6,000.00",cash',
      '2026-01-08,Ann,"5,000.00",cash',
      '2026-01-08,Bob,"6,000.00",cash',
      '2026-02-20,Bob,"6,000.00",cash',
    );
    expect((await found(split, { place: 'us' })).filter((one) => one.startsWith('cash'))).toEqual(['cash-split 2 3']);
  });

  test('an amount in another currency is not compared', async () => {
    const { findings, notChecked } = await run(
      'Date,Payer,Amount,Currency,Payment method\n2026-01-05,Ann,50000.00,JPY,cash\n',
      { place: 'us' },
    );
    expect(findings.filter(({ rule }) => rule.startsWith('cash'))).toEqual([]);
    expect(notChecked.join(' ')).toContain('another currency than USD');
  });
});

describe('taxes', () => {
  const table = (...rows: string[]) => `Date,Supplier,Net,VAT rate,VAT,Gross\n${rows.join('\n')}\n`;

  test('rounding is no fault, and a rate may be 19, 19 % or 0.19', async () => {
    const rows = [
      '2026-01-05,A,33.33,19,6.33,39.66',
      '2026-01-05,B,100.00,19 %,19.00,119.00',
      '2026-01-05,C,100.00,0.19,19.00,119.00',
    ];
    expect(await found(table(...rows), { place: 'de' })).toEqual([]);
  });

  test('the rates are those of the day', async () => {
    const rows = [
      '2020-09-01,A,100.00,16,16.00,116.00',
      '2026-01-05,B,100.00,16,16.00,116.00',
      '2020-09-01,C,100.00,19,19.00,119.00',
    ];
    expect((await found(table(...rows), { place: 'de' })).filter((one) => one.startsWith('tax-rate'))).toEqual([
      'tax-rate 3',
      'tax-rate 4',
    ]);
  });

  test('every place has its rules in the order of time, each with its source', () => {
    for (const { rates, cash, invoice } of Object.values(places)) {
      expect(rates.map(({ since }) => since)).toEqual(rates.map(({ since }) => since).sort());
      for (const { source } of [...rates, ...cash, ...(invoice ? [invoice] : [])]) expect(source.law).toMatch(/\w{3}/);
    }
  });

  test.each([
    ['DE136695976', 'de', undefined],
    ['DE136695977', 'DE', 'checksum'],
    ['de 136 695 976', 'FR', undefined],
    ['51 824 753 556', 'AU', undefined],
    ['51 824 753 557', 'AU', 'as a number of AU'],
    ['29AAGCR4375J1ZU', 'IN', undefined],
    ['T7000012050002', 'JP', undefined],
    ['IE6433435F', undefined, undefined],
    ['XX123', undefined, undefined],
    ['123', 'DE', 'length'],
  ])('the tax number %s of %s', (text, place, fault) => {
    const outcome = taxIdFault(text, place?.toUpperCase());
    if (fault === undefined) expect(outcome).toBeUndefined();
    else expect(outcome).toContain(fault);
  });
});

test('days: weekends, holidays of the place, days to come, and days outside of the period', async () => {
  const text = 'Date,Supplier,Amount\n2025-10-03,A,1\n2026-02-28,B,2\n2026-03-02,C,3\n2025-12-31,D,4\n';
  expect(await found(text, { place: 'de', period: { from: '2026-01-01', to: '2026-12-31' } })).toEqual(
    expect.arrayContaining(['future-date 4', 'holiday 2', 'outside-period 2 5', 'weekend 3']),
  );
  expect((await found(text)).filter((one) => one.startsWith('holiday'))).toEqual([]);
});

test('gaps in the numbers of own invoices are found, in purchases they are none', async () => {
  const text = 'Date,Customer,Invoice,Amount\n2026-01-05,A,R-101,11\n2026-01-06,B,R-102,12\n2026-01-07,C,R-105,13\n';
  const { findings } = await run(text, { direction: 'sales' });
  expect(findings.find(({ rule }) => rule === 'number-gap')?.finding).toBe('no invoice R-103 to R-104');
  expect((await found(text)).filter((one) => one.startsWith('number'))).toEqual([]);
});

test('cells that are no number or day are findings, and totals are no transactions', async () => {
  const report = await run('Date,Supplier,Amount\n2026-01-05,A,12x\n31.02.2026,B,5\nTotal,,17\n');
  expect(report.ledger.transactions).toHaveLength(2);
  expect(report.findings.map(({ rule }) => rule)).toEqual(
    expect.arrayContaining(['unreadable-amount', 'unreadable-date']),
  );
});

describe('what is not clear is refused, with what to do', () => {
  test('columns without known names; the request can say what they are', async () => {
    await expect(run('Wann,Wieviel\n2026-01-05,7\n')).rejects.toThrow('its first row: Wann, Wieviel');
    const report = await run('Wann,Wieviel\n2026-01-05,7\n', { columns: { date: 'Wann', gross: 'Wieviel' } });
    expect(report.ledger.transactions).toMatchObject([{ date: '2026-01-05' }]);
    await expect(run('Date,Amount\n2026-01-05,7\n', { columns: { net: 'Netto' } })).rejects.toThrow(
      'no column "Netto". It has: Date, Amount',
    );
  });

  test('days that may be two; the place decides them', async () => {
    const text = 'Date,Supplier,Amount\n3/4/2026,A,7\n';
    await expect(run(text)).rejects.toThrow('dateOrder');
    expect((await run(text, { place: 'us' })).ledger.transactions).toMatchObject([{ date: '2026-03-04' }]);
    expect((await run(text, { place: 'gb' })).ledger.transactions).toMatchObject([{ date: '2026-04-03' }]);
  });

  test('more rows than one check takes', async () => {
    const rows = Array.from({ length: 100_031 }, (_, n) => ({ row: n + 1, texts: ['a'] }));
    await expect(check([{ name: 'big', rows }], { today })).rejects.toThrow('one check takes 100000');
  });

  test('and a check ends when it is cancelled', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'));
    const table = {
      name: 't',
      rows: [
        { row: 1, texts: ['Date', 'Amount'] },
        { row: 2, texts: ['2026-01-05', '1'] },
      ],
    };
    await expect(check([table], { today }, signal)).rejects.toThrow('cancelled');
  });
});

describe('many rows of one party on one day', () => {
  const count = 4_500;
  const ledger = Array.from({ length: count }, (_, n) => `2026-01-05,Acme,A${n},DE1,99,cash,`).join('\n');
  const text = `Date,Supplier,Invoice,Supplier VAT ID,Amount,Payment method,Approved by\n${ledger}\n`;

  test('are one group each, and their days are read a few times', async () => {
    const parse = jest.spyOn(Date, 'parse');
    try {
      const { findings } = await run(text, { place: 'de', limits: { approvalLimits: [100], cashLimit: 100 } });
      expect(parse.mock.calls.length).toBeLessThan(20 * count);
      for (const rule of ['cash-split', 'split-payment', 'duplicate-near', 'tax-number'])
        expect(findings.filter((one) => one.rule === rule).map(({ rows }) => rows.length)).toEqual([count]);
    } finally {
      parse.mockRestore();
    }
  });

  test.each(
    [
      findMissing,
      findCash,
      findApprovals,
      findDuplicates,
      findWrongTaxes,
      findWrongTaxIds,
      findOddDates,
      findRoundAmounts,
      findNumberGaps,
    ].map((rule) => [rule.name, rule] as const),
  )('let other work go on: %s', async (_, rule) => {
    const { ledger, place } = await run(text, { place: 'de' });
    const limits = { ...usualComplianceLimits, approvalLimits: [100], cashLimit: 100 };
    const steps = [...rule({ ledger, place, limits, direction: 'sales', required: [], today, period: {} })];
    expect(steps.filter((step) => step === undefined).length).toBeGreaterThanOrEqual(2);
  });

  test('an invoice number of signs alone is read at once', () => {
    expect(plainInvoice(`${'#'.repeat(80)}A\n5`)).toBe('A5');
    expect(plainInvoice('RE'.repeat(50_000))).toHaveLength(100_000);
  });
});

test('an answer stays short, and the file has every row, none of them a formula', async () => {
  const rows = Array.from({ length: 600 }, (_, n) => `2026-01-05,=SUM(A${n}),N${n}x,${n + 1}.5,`);
  const report = await run(`Date,Supplier,Invoice,Amount,Tax id\n${rows.join('\n')}\n${rows.join('\n')}\n`, {
    place: 'gb',
    required: ['supplierTaxId'],
  });
  const answer = renderReport(report, ['findings.csv']);
  expect(answer.length).toBeLessThanOrEqual(8_000);
  expect(answer).toContain('Files: findings.csv.');
  const [file] = reportFiles(report);
  const text = Buffer.from(file!.bytes).toString();
  expect(text.split('\n').length).toBeGreaterThan(2_400);
  expect(text).not.toMatch(/(^|,)"?=/m);
  expect((reportData(report).findings as unknown[]).length).toBeLessThanOrEqual(100);
});
