import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import { sheetXml, xlsx } from '../support/files/office-files.ts';

let parser: ReturnType<typeof createDocumentParser>;
beforeAll(() => {
  parser = createDocumentParser({ processes: 1 });
});
afterAll(() => parser.close());

const read = (name: string, content: string | Uint8Array, mediaType = '') =>
  parser.readSheets({ name, mediaType, bytes: Buffer.from(content) }, new AbortController().signal);

describe('CSV', () => {
  test('keeps the number of each line, also below an empty one and one that spans lines', async () => {
    expect(await read('a.csv', 'item;2024\n\nRevenue;"1.234,50"\n"Other\nincome";7\nCosts;-3\n')).toEqual([
      {
        name: 'CSV',
        rows: [
          { row: 1, texts: ['item', '2024'] },
          { row: 3, texts: ['Revenue', '1.234,50'] },
          { row: 4, texts: ['Other income', '7'] },
          { row: 5, texts: ['Costs', '-3'] },
        ],
      },
    ]);
  });
});

describe('XLSX', () => {
  test('gives what a cell shows and the number that it stores, of dates the day alone', async () => {
    const sheet = `<worksheet><sheetData><row r="2"><c r="B2" t="inlineStr"><is><t>Revenue</t></is></c><c r="C2" s="1"><v>1234.5</v></c><c r="D2" s="2"><v>45291</v></c><c r="E2" s="3"><v>0.05</v></c></row><row r="4"><c r="C4"><f>C2*2</f></c></row></sheetData></worksheet>`;
    const bytes = xlsx([{ name: 'P&amp;L', xml: sheet }], { formats: ['General', '#,##0', 'dd.mm.yyyy', '0%'] });
    expect(await read('a.xlsx', bytes)).toEqual([
      {
        name: 'P&L',
        rows: [
          {
            row: 2,
            texts: ['', 'Revenue', '1,235', '2023-12-31', '5%'],
            values: [null, null, '1234.5', null, '0.05'],
          },
          { row: 4, texts: ['', '', '2469'], values: [null, null, '2469'] },
        ],
      },
    ]);
  });

  test('leaves out hidden sheets', async () => {
    const xml = sheetXml([['a', 1]]);
    const sheets = await read(
      'a.xlsx',
      xlsx([
        { name: 'One', xml },
        { name: 'Two', xml, state: 'hidden' },
      ]),
    );
    expect(sheets.map(({ name }) => name)).toEqual(['One']);
  });
});

describe('JSON', () => {
  test('makes keys the first row, and keeps numbers as they are written', async () => {
    expect(await read('a.json', '[{"item":"Revenue","2024":1.10},{"item":"Costs","2024":"1,5","2025":null}]')).toEqual([
      {
        name: 'JSON',
        rows: [
          { row: 1, texts: ['item', '2024', '2025'], values: [null, null, null] },
          { row: 2, texts: ['Revenue', '1.10', ''], values: [null, '1.10', null] },
          { row: 3, texts: ['Costs', '1,5', ''], values: [null, null, null] },
        ],
      },
    ]);
  });

  test('a key that every object inherits is a key like others', async () => {
    const [sheet] = await read('a.json', '[{"item":"Revenue","constructor":"x","toString":1},{"item":"Costs"}]');
    expect(sheet?.rows.map(({ texts }) => texts.join())).toEqual([
      'item,constructor,toString',
      'Revenue,x,1',
      'Costs,,',
    ]);
  });

  test('puts what names a row before its figures, in any order of the keys', async () => {
    const [sheet] = await read('a.json', '[{"Cash":5,"Month":"Oct 2025"},{"Cash":4,"Month":"Nov 2025"}]');
    expect(sheet?.rows.map(({ texts }) => texts)).toEqual([
      ['Month', 'Cash'],
      ['Oct 2025', '5'],
      ['Nov 2025', '4'],
    ]);
  });

  test('reads objects by their names, and several tables as sheets', async () => {
    const [income, balance] = await read(
      'a.json',
      '{"Income":{"Revenue":{"2024":5}},"Balance":[["","2024"],["Cash",2]]}',
    );
    expect(income).toMatchObject({ name: 'Income', rows: [{ texts: ['', '2024'] }, { texts: ['Revenue', '5'] }] });
    expect(balance).toMatchObject({ name: 'Balance', rows: [{ texts: ['', '2024'] }, { texts: ['Cash', '2'] }] });
  });

  test('reads JSON Lines, and refuses a tree', async () => {
    const [sheet] = await read('a.jsonl', '{"a":1}\n\n{"a":2}\n');
    expect(sheet?.rows.map(({ texts }) => texts)).toEqual([['a'], ['1'], ['2']]);
    await expect(read('a.json', '{"a":{"b":{"c":{"d":1}}}}')).rejects.toMatchObject({ code: 'file_unreadable' });
  });
});

test('refuses a file without tables and one that is empty, with what to do', async () => {
  await expect(read('a.html', '<!doctype html><html><body><p>x</p></body></html>')).rejects.toMatchObject({
    code: 'file_type_unsupported',
    message: expect.stringContaining('CSV, XLSX, JSON'),
  });
  await expect(read('a.csv', '\n ; \n')).rejects.toMatchObject({ code: 'file_empty' });
});
