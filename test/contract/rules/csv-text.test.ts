import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { csvText, harmlessCell, harmlessCsv } from '../../../contract/rules/csv-text.ts';

describe('a cell', () => {
  test.each(['=1+1', '+cmd', '-cmd', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '-2+3', '=-1', '+1+1', '|x', '%x'])(
    '%j is shown as text',
    (text) => expect(harmlessCell(text)).toBe(`'${text}`),
  );
  test.each(['-5', '+5', '-1,234.50', '-1.234,50', '-12 %', '-1e5', '-.5', '', 'a=b', '5', "it's", '2024-01-01'])(
    '%j stays as it is',
    (text) => expect(harmlessCell(text)).toBe(text),
  );
});

test('a table keeps commas, quotation marks and lines in their cells', () => {
  const rows = [
    ['a,b', 'say "x"', 'two\nlines', 'x;y'],
    ['', '=HYPERLINK("http://x","y")', '-7', '1'],
  ];
  expect(parse(csvText(rows))).toEqual([rows[0], ['', '\'=HYPERLINK("http://x","y")', '-7', '1']]);
});

describe('a written file', () => {
  test.each([
    ['a,=1+1\n', "a,'=1+1\n"],
    ['=1\r\n-2,+x', "'=1\r\n-2,'+x"],
    ['"=1,2",b', '"\'=1,2",b'],
    ['a;=cmd|x;b', "a;'=cmd|x;b"],
    ['a\t=1', "a\t'=1"],
    ['"x, =y","z"', '"x, =y","z"'],
    ['"a ""=b""",1', '"a ""=b""",1'],
    ['"=open', '"\'=open'],
    ['"" =1', '"" =1'],
    ['x,y\n', 'x,y\n'],
    ['', ''],
  ])('%j becomes %j', (text, harmless) => expect(harmlessCsv(text)).toBe(harmless));

  test('has no formula afterwards by any of the usual separators, and loses nothing of a file without', () => {
    const piece = fc.constantFrom('=', '+', '-', '@', 'a', '1', ',', ';', '\t', '\n', '"', ' ', "'");
    fc.assert(
      fc.property(fc.string({ unit: piece, maxLength: 24 }), (text) => {
        const harmless = harmlessCsv(text);
        expect(harmlessCsv(harmless)).toBe(harmless);
        if (!/[=+\-@]/.test(text)) expect(harmless).toBe(text);
        expect(harmless.replaceAll("'", '')).toBe(text.replaceAll("'", ''));
        if (text.includes('"')) return;
        for (const delimiter of [',', ';', '\t']) {
          const records: string[][] = parse(harmless, { delimiter, relax_column_count: true });
          for (const cell of records.flat()) expect(cell).not.toMatch(/^=/);
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
