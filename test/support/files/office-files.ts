import { type Entry, zipFile } from './zip-file.ts';

const relationships = (targets: [kind: string, target: string][]) =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${targets
    .map(
      ([kind, target], n) =>
        `<Relationship Id="rId${n + 1}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${kind}" Target="${target}"/>`,
    )
    .join('')}</Relationships>`;

type Parts = Record<string, Entry>;

/** A minimal .docx that Word and the parser can read. */
export const docx = (documentXml: Entry, others: Parts = {}) =>
  zipFile({
    '[Content_Types].xml':
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    '_rels/.rels': relationships([['officeDocument', 'word/document.xml']]),
    'word/document.xml': documentXml,
    ...others,
  });

export const wordDocument = (text: string) =>
  `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:body></w:document>`;

export type Sheet = { name: string; xml: Entry; state?: 'hidden' };

/** A workbook. Cell styles are indexes into `formats`, shared strings are indexes into `texts`. */
export const xlsx = (
  sheets: Sheet[],
  { texts = [], formats = ['General'], others = {} }: { texts?: string[]; formats?: string[]; others?: Parts } = {},
) =>
  zipFile({
    'xl/workbook.xml': `<workbook xmlns:r="r"><sheets>${sheets
      .map(
        ({ name, state = 'visible' }, n) =>
          `<sheet name="${name}" sheetId="${n + 1}" state="${state}" r:id="rId${n + 1}"/>`,
      )
      .join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships([
      ...sheets.map((_, n): [string, string] => ['worksheet', `worksheets/sheet${n + 1}.xml`]),
      ['sharedStrings', 'sharedStrings.xml'],
      ['styles', 'styles.xml'],
    ]),
    'xl/sharedStrings.xml': `<sst>${texts.map((text) => `<si>${text}</si>`).join('')}</sst>`,
    'xl/styles.xml': `<styleSheet><numFmts>${formats
      .map((format, n) => `<numFmt numFmtId="${n + 200}" formatCode="${format.replaceAll('"', '&quot;')}"/>`)
      .join(
        '',
      )}</numFmts><cellXfs>${formats.map((_, n) => `<xf numFmtId="${n + 200}"/>`).join('')}</cellXfs></styleSheet>`,
    ...Object.fromEntries(sheets.map(({ xml }, n) => [`xl/worksheets/sheet${n + 1}.xml`, xml])),
    ...others,
  });

/** A sheet with these rows. Text is written as inline strings. Empty rows are left out, as Excel does. */
export const sheetXml = (rows: (string | number)[][]) =>
  `<worksheet><sheetData>${rows
    .map((cells, r) => (cells.length > 0 ? `<row r="${r + 1}">${cells.map(cellXml).join('')}</row>` : ''))
    .join('')}</sheetData></worksheet>`;

const cellXml = (value: string | number) =>
  typeof value === 'number' ? `<c><v>${value}</v></c>` : `<c t="inlineStr"><is><t>${value}</t></is></c>`;

export type Slide = { xml: Entry; notes?: string };

export const pptx = (slides: Slide[], others: Parts = {}) =>
  zipFile({
    'ppt/presentation.xml': `<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst>${slides
      .map((_, n) => `<p:sldId id="${n + 256}" r:id="rId${n + 1}"/>`)
      .join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relationships(
      slides.map((_, n): [string, string] => ['slide', `slides/slide${n + 1}.xml`]),
    ),
    ...Object.fromEntries(
      slides.flatMap(({ xml, notes }, n) => [
        [`ppt/slides/slide${n + 1}.xml`, xml],
        ...(notes
          ? [
              [
                `ppt/slides/_rels/slide${n + 1}.xml.rels`,
                relationships([['notesSlide', `../notesSlides/notesSlide${n + 1}.xml`]]),
              ],
              [`ppt/notesSlides/notesSlide${n + 1}.xml`, slideXml(shape('body', notes))],
            ]
          : []),
      ]),
    ),
    ...others,
  });

export const slideXml = (shapes: string) =>
  `<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${shapes}</p:spTree></p:cSld></p:sld>`;

/** A placeholder with one paragraph a line. Two leading spaces are one indent level. */
export const shape = (kind: string, text: string) =>
  `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${kind}"/></p:nvPr></p:nvSpPr><p:txBody>${text
    .split('\n')
    .map((line) => `<a:p><a:pPr lvl="${line.search(/\S/) / 2}"/><a:r><a:t>${line.trim()}</a:t></a:r></a:p>`)
    .join('')}</p:txBody></p:sp>`;

export const slideTable = (rows: string[][]) =>
  `<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>${rows
    .map(
      (cells) =>
        `<a:tr>${cells.map((cell) => `<a:tc><a:txBody><a:p><a:r><a:t>${cell}</a:t></a:r></a:p></a:txBody></a:tc>`).join('')}</a:tr>`,
    )
    .join('')}</a:tbl></p:graphicFrame>`;
