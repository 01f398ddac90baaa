import { describe, expect, test } from '@jest/globals';
import { parseFile } from '../../parsing/parse-file.ts';
import { evaluate } from '../../parsing/formats/xlsx-evaluate.ts';
import { sheetXml, xlsx } from '../support/files/office-files.ts';
import { fixture } from '../support/files/parsing.ts';

const parse = async (name: string, bytes?: Uint8Array) =>
  parseFile({ name, mediaType: '', bytes: bytes ?? (await fixture(name)) });

describe('an Office file', () => {
  test('is read whatever its main part is called', async () => {
    const { text } = await parse('word-online.docx');
    expect(text).toContain('20 days a year, see form RW-88');
  });
});

describe('Word', () => {
  test('has the numbers that it gives to headings and list items by itself', async () => {
    const { text, chunks } = await parse('agreement.docx');
    expect(text).toContain('2.1 Rates\n\nThe daily rate is 640 EUR.');
    expect(text).toMatch(/4\.2 Notice\n\nEither side .*\n\n\(a\) three months in the first year\n\s*\(b\) six months/);
    expect(chunks.map(({ headingPath }) => headingPath[0])).toContain('4. Termination');
  });
});

describe('a workbook', () => {
  test('says in each row what its merged cells say, also in headings over several columns', async () => {
    const { text } = await parse('rates.xlsx');
    expect(text).toContain(
      'Region: North; City: Turku; Hotel limit 2025: 120; Hotel limit 2026: 125; Meals 2025: 55; Meals 2026: 56',
    );
    expect(text).toContain('Region: South; City: Valencia; Hotel limit 2025: 115');
  });

  test('says in the rows below a merged line what that line says', async () => {
    const xml = sheetXml([
      ['City', 'Hotel', 'Meals'],
      ['North'],
      ['Turku', 120, 55],
      ['South'],
      ['Porto', 110, 45],
    ]).replace('</sheetData>', '</sheetData><mergeCells><mergeCell ref="A2:C2"/><mergeCell ref="A4:C4"/></mergeCells>');
    const { text } = await parse('a.xlsx', xlsx([{ name: 'Rates', xml }]));
    expect(text).toBe(
      'Rates\n\nNorth\nNorth; City: Turku; Hotel: 120; Meals: 55\nSouth\nSouth; City: Porto; Hotel: 110; Meals: 45',
    );
  });

  test('has computed values where a program stored formulas without results', async () => {
    const { text } = await parse('budget.xlsx');
    expect(text).toContain('Item: Sensor S-2; Units: 40; Unit price: 12; Total: 480; Reference: REF-Sensor S-2');
    expect(text).toContain('Item: Sum; Total: 3180');
  });

  test('shows a formula that cannot be computed', async () => {
    const xml =
      '<worksheet><sheetData><row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>VLOOKUP(A1,X!A:B,2)</f></c></row>' +
      '<row r="2"><c r="A2"><f>B2+1</f></c><c r="B2"><f>A2+1</f></c></row></sheetData></worksheet>';
    const { text } = await parse('a.xlsx', xlsx([{ name: 'S', xml }]));
    expect(text).toContain('2 | =VLOOKUP(A1,X!A:B,2) (result not stored)');
    expect(text).toContain('=B2+1 (result not stored) | =A2+1 (result not stored)');
  });
});

describe('a formula', () => {
  const cells: Record<string, (number | string | null)[]> = { A1: [4], A2: ['x'], A3: [null], 'A1:A3': [4, 'x', null] };
  const compute = (formula: string) => evaluate(formula, (reference) => cells[reference]);

  test('is computed as a spreadsheet does', () => {
    const results = {
      '2+3*A1': 14,
      '-2^2': 4,
      '(1+A1)%': 0.05,
      'A1*15%': 0.6,
      'SUM(A1:A3,2)': 6,
      'PRODUCT(A1:A3)': 4,
      'ROUND(2.675,2)': 2.68,
      'IF(A1>=4,"yes","no")&A2': 'yesx',
      'AVERAGE(A1:A3)': 4,
      'A3+1': 1,
    };
    for (const [formula, result] of Object.entries(results))
      expect([formula, compute(formula)]).toEqual([formula, result]);
    for (const formula of ['1/0', 'NOW()', 'A1+', 'A2*2', 'constructor()', 'B9', '('.repeat(900)])
      expect([formula, compute(formula)]).toEqual([formula, undefined]);
  });
});
