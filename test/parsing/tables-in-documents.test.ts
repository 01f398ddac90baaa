import { describe, expect, test } from '@jest/globals';
import { tableTexts } from '../../parsing/chunks/document-table.ts';
import { append, largest, smallest } from '../../parsing/extremes.ts';
import { readPlainText } from '../../parsing/formats/plain-text.ts';
import { parseFile } from '../../parsing/parse-file.ts';
import { docx, pptx, slideXml } from '../support/files/office-files.ts';

const textOf = async (name: string, content: string | Uint8Array) =>
  (await parseFile({ name, mediaType: '', bytes: Buffer.from(content) })).text;

const word = (body: string) =>
  docx(
    `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
  );
const paragraph = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;
const cell = (text: string, properties = '', more = '') =>
  `<w:tc><w:tcPr>${properties}</w:tcPr>${paragraph(text)}${more}</w:tc>`;
const row = (...cells: string[]) => `<w:tr>${cells.join('')}</w:tr>`;
const table = (...rows: string[]) => `<w:tbl>${rows.join('')}</w:tbl>`;

describe('a table of Word', () => {
  test('says in each row what its merged cells say, also in headings over several columns', async () => {
    const text = await textOf(
      'a.docx',
      word(
        table(
          row(
            cell('Region', '<w:vMerge w:val="restart"/>'),
            cell('City', '<w:vMerge w:val="restart"/>'),
            cell('Limit', '<w:gridSpan w:val="2"/>'),
          ),
          row(cell('', '<w:vMerge/>'), cell('', '<w:vMerge/>'), cell('2025'), cell('2026')),
          row(cell('North', '<w:vMerge w:val="restart"/>'), cell('Turku'), cell('120'), cell('125')),
          row(cell('', '<w:vMerge/>'), cell('Oulu'), cell('95', '<w:gridSpan w:val="2"/>')),
          row(cell('Far away', '<w:gridSpan w:val="4"/>')),
          row(cell('South'), cell('Nice'), cell('80'), cell('90')),
        ),
      ),
    );
    expect(text).toBe(
      'Region: North; City: Turku; Limit 2025: 120; Limit 2026: 125\n' +
        'Region: North; City: Oulu; Limit 2025 / Limit 2026: 95\n' +
        'Far away\nFar away; Region: South; City: Nice; Limit 2025: 80; Limit 2026: 90',
    );
  });

  test('has a table within a cell in brackets, and one that only arranges the page as its content', async () => {
    const inner = table(row(cell('meals'), cell('40')), row(cell('hotel'), cell('120')));
    const data = table(
      row(cell('Grade'), cell('Who'), cell('Limits per day and person in EUR')),
      row(cell('L2'), cell('every employee of the company'), cell('', '', inner)),
    );
    expect(await textOf('a.docx', word(data))).toBe(
      'Grade: L2; Who: every employee of the company; Limits per day and person in EUR: (meals | 40) (hotel | 120)',
    );
    const layout = table(row(cell('', '', inner), cell('', '', paragraph('Ask in room 4.'))));
    expect(await textOf('a.docx', word(layout))).toBe('meals | 40\nhotel | 120\n\nAsk in room 4.');
  });
});

describe('a table of a web page', () => {
  test('says in each row what its merged cells and its caption say', async () => {
    expect(
      await textOf(
        'a.html',
        `<table><caption>Rates</caption><thead><tr><th rowspan=2>Site<th colspan=2>Shift<tr><th>Day<th>Night</thead>
         <tr><td rowspan=2>Gate<td>two <b>guards</b><td>one<tr><td colspan=2>closed on Sundays<tr><td>Yard<td><td>three</table>`,
      ),
    ).toBe(
      'Rates\n\nSite: Gate; Shift Day: two guards; Shift Night: one\n' +
        'Site: Gate; Shift Day / Shift Night: closed on Sundays\nSite: Yard; Shift Night: three',
    );
  });

  test('that arranges the page is read cell by cell, with its headings and tables', async () => {
    expect(
      await textOf(
        'a.html',
        `<table><tr><td><h2>News</h2><p>The gate is open.</p><table><tr><th>Day<th>Hours<tr><td>Mon<td>8 to 5</table>
         <td><p>Ring twice.</table>`,
      ),
    ).toBe('News\n\nThe gate is open.\n\nDay: Mon; Hours: 8 to 5\n\nRing twice.');
  });

  test('with absurd spans is read in a moment', async () => {
    const row = `<tr><td rowspan=65534 colspan=9999999>a<td>b`;
    expect(await textOf('a.html', `<table>${row.repeat(300)}</table>`)).toContain('b');
  });
});

test('links that only show a sign, and list items without text, are left out', async () => {
  expect(
    await textOf(
      'a.html',
      '<h1>Rules<a href="#r">¶</a></h1><ul><li><img src="x"><li>One<li></ul><p>See <a href="#2">¶ 2</a>.<a href="#n">↩</a></p>',
    ),
  ).toBe('Rules\n\n- One\n\nSee ¶ 2.');
});

describe('a slide', () => {
  const slideCell = (text: string, attributes = '') =>
    `<a:tc ${attributes}><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;

  test('says in each row of a table what its merged cells say', async () => {
    const xml = slideXml(
      `<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>
       <a:tr>${slideCell('Site')}${slideCell('Hours', 'gridSpan="2"')}${slideCell('', 'hMerge="1"')}</a:tr>
       <a:tr>${slideCell('Gate', 'rowSpan="2"')}${slideCell('8')}${slideCell('17')}</a:tr>
       <a:tr>${slideCell('', 'vMerge="1"')}${slideCell('9')}${slideCell('12')}</a:tr></a:tbl></p:graphicFrame>`,
    );
    expect(await textOf('a.pptx', pptx([{ xml }]))).toBe(
      'Slide 1\n\nSite: Gate; Hours: 8; Hours: 17\nSite: Gate; Hours: 9; Hours: 12',
    );
  });

  test('has its charts as tables and its SmartArt as lines', async () => {
    const points = (...values: string[]) =>
      values.map((value, n) => `<c:pt idx="${n}"><c:v>${value}</c:v></c:pt>`).join('');
    const chart = `<c:chartSpace><c:chart><c:title><a:p><a:r><a:t>Guards</a:t></a:r></a:p></c:title><c:ser>
      <c:tx><c:strCache>${points('Night')}</c:strCache></c:tx><c:cat><c:strCache>${points('Gate', 'Yard')}</c:strCache></c:cat>
      <c:val><c:numCache><c:formatCode>0%</c:formatCode>${points('0.25', '0.5')}</c:numCache></c:val></c:ser></c:chart></c:chartSpace>`;
    const diagram = `<dgm:dataModel><dgm:pt type="doc"/><dgm:pt><dgm:t><a:p><a:r><a:t>Report</a:t></a:r></a:p></dgm:t></dgm:pt>
      <dgm:pt type="pres"><dgm:t><a:p><a:r><a:t>not shown</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>`;
    const relation = (kind: string, target: string) =>
      `<Relationship Id="${kind}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${kind}" Target="${target}"/>`;
    const bytes = pptx([{ xml: slideXml('') }], {
      'ppt/slides/_rels/slide1.xml.rels': `<Relationships>${relation('chart', '../charts/chart1.xml')}${relation('diagramData', '../diagrams/data1.xml')}</Relationships>`,
      'ppt/charts/chart1.xml': chart,
      'ppt/diagrams/data1.xml': diagram,
    });
    expect(await textOf('a.pptx', bytes)).toBe('Slide 1\n\nGuards\nGate; Night: 25%\nYard; Night: 50%\n\nReport');
  });
});

test('tables and texts of more parts than a call takes arguments are read', () => {
  const rows = Array.from({ length: 60_000 }, (_, n) => ['plant', 'meter', String(n)]);
  expect(tableTexts([['Place', 'Device', 'Reading'], ...rows], false).at(-1)).toBe(
    'Place: plant; Device: meter; Reading: 59999',
  );
  expect(readPlainText('one line\n\n'.repeat(150_000)).units).toHaveLength(150_000);
  const list: number[] = [];
  append(list, Array.from({ length: 200_000 }).keys());
  expect([list.length, largest(list), smallest(list)]).toEqual([200_000, 199_999, 0]);
});
