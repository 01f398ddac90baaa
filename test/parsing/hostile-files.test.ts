import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import { docx, pptx, shape, sheetXml, slideXml, wordDocument, xlsx } from '../support/files/office-files.ts';
import { parseWith } from '../support/files/parsing.ts';
import { type Entry, Packed, repeated } from '../support/files/zip-file.ts';

const timeLimitMs = 20_000;
let parser: ReturnType<typeof createDocumentParser>;
beforeAll(() => {
  parser = createDocumentParser({ processes: 1, timeLimitMs });
});
afterAll(() => parser.close());
const parse = parseWith(() => parser);

afterEach(async () => {
  expect((await parse('next.txt', 'The next file is read.')).text).toBe('The next file is read.');
});

async function expectRefused(code: ErrorCode, reason: RegExp, name: string, content: string | Uint8Array) {
  await expect(parse(name, content)).rejects.toMatchObject({
    name: 'AlfredError',
    code,
    message: expect.stringMatching(new RegExp(`^${name}: .*${reason.source}`, 's')),
  });
}

const slide = (text: string) => slideXml(shape('body', text));
const sheet = (xml: Entry) => xlsx([{ name: 'Sheet1', xml }]);
const megabytes = (count: number) => count * 1024 * 1024;

test('an Office file that unpacks without bounds, also when it declares a small size', async () => {
  const spaces = repeated('', ' '.repeat(megabytes(1)), 257, '');
  const files = {
    'a.docx': docx(spaces),
    'a.xlsx': sheet(spaces),
    'a.pptx': pptx([{ xml: spaces }]),
    'b.docx': docx(new Packed(spaces.packed, 10)),
  };
  for (const [name, bytes] of Object.entries(files)) {
    expect(bytes.length).toBeLessThan(megabytes(1));
    await expectRefused('file_too_large', /unpacks to more than 256 MB/, name, bytes);
  }
  await expectRefused('file_unreadable', /larger than the file says/, 'b.xlsx', sheet(new Packed(spaces.packed, 10)));
});

test('an Office file whose XML declares entities', async () => {
  const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');
  const declaration = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">${laughs}<!ENTITY f SYSTEM "file:///etc/passwd">]>`;
  const files = {
    'a.docx': docx(declaration + wordDocument('&l9;&f;')),
    'a.xlsx': sheet(declaration + sheetXml([['&l9;&f;']])),
    'a.pptx': pptx([{ xml: declaration + slide('&l9;&f;') }]),
  };
  for (const [name, bytes] of Object.entries(files))
    await expectRefused('file_unreadable', /declares entities/, name, bytes);
  await expectRefused('file_unreadable', /damaged/, 'b.xlsx', sheet(sheetXml([['&undeclared;']])));
});

test('a PDF of ten thousand pages', async () => {
  const numbers = Array.from({ length: 10_000 }, (_, n) => n + 3);
  const pdf = [
    '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
    `2 0 obj<</Type/Pages/Kids[${numbers.map((n) => `${n} 0 R`).join(' ')}]/Count 10000>>endobj`,
    ...numbers.map((n) => `${n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj`),
    'trailer<</Root 1 0 R>>\n%%EOF',
  ].join('\n');
  await expectRefused('file_too_large', /the PDF has 10,000 pages; up to 5,000 are read/, 'a.pdf', pdf);
});

test('a line of 50 MB', async () => {
  const line = Buffer.alloc(megabytes(50), 'word, "');
  for (const name of ['a.txt', 'a.html', 'a.csv'])
    await expectRefused('file_too_large', /more than 20 million characters/, name, line);
  await expectRefused(
    'file_too_large',
    /more than 20 million characters/,
    'a.json',
    `["${'x'.repeat(megabytes(50))}"]`,
  );
});

test('a CSV file with a value that does not end', async () => {
  await expectRefused(
    'file_unreadable',
    /a row is longer than a million/,
    'a.csv',
    `a,b\n1,"${'2,'.repeat(1_000_000)}`,
  );
});

test('a table of a million rows', async () => {
  const row = '<row><c><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c></row>';
  const rows = repeated('<worksheet><sheetData>', row.repeat(10_000), 100, '</sheetData></worksheet>');
  await expectRefused('file_too_large', /more than 100,000 rows/, 'a.xlsx', sheet(rows));
  await expectRefused('file_too_large', /more than 100,000 rows/, 'a.csv', 'a,b\n'.repeat(1_000_000));
  await expectRefused('file_too_large', /more than 100,000 rows/, 'a.jsonl', '{"a":1}\n'.repeat(1_000_000));
});

test('a sheet of empty rows, with one cell in the last column', async () => {
  const empty = '<row><c s="1"/></row>'.repeat(200_000);
  const far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>';
  const { text } = await parse('a.xlsx', sheet(`<worksheet><sheetData>${empty}${far}</sheetData></worksheet>`));
  expect(text).toBe('Sheet1\n\n1');
});

test('a sheet that repeats a long shared text', async () => {
  const cells = '<row><c t="s"><v>0</v></c></row>'.repeat(90_000);
  const bytes = xlsx([{ name: 'S', xml: `<worksheet><sheetData>${cells}</sheetData></worksheet>` }], {
    texts: [`<t>${'x'.repeat(megabytes(1))}</t>`],
  });
  await expectRefused('file_too_large', /more than 20 million characters/, 'a.xlsx', bytes);
});

test('a file whose content shows no kind under the name of another', async () => {
  await expectRefused('file_unreadable', /not that of a \.pptx file/, 'a.pptx', 'Plain text.');
  await expectRefused('file_unreadable', /the JSON is broken/, 'a.json', 'Plain text.');
});

test('an Office file with a password', async () => {
  const encrypted = Buffer.concat([
    Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    Buffer.alloc(1_024),
    Buffer.from('EncryptedPackage', 'utf16le'),
  ]);
  for (const name of ['a.docx', 'a.xlsx', 'a.pptx'])
    await expectRefused('file_encrypted', /password-protected\. Remove the password/, name, encrypted);
});

test('a document with macros is read without them', async () => {
  const bytes = docx(wordDocument('Hello'), { 'word/vbaProject.bin': 'Sub AutoOpen()' });
  expect((await parse('a.docm', bytes)).text).toBe('Hello');
});

test('data that is nested too deeply', async () => {
  await expectRefused(
    'file_unreadable',
    /nested too deeply/,
    'a.json',
    '[{"a":'.repeat(200_000) + '1' + '}]'.repeat(200_000),
  );
  await expectRefused('file_unreadable', /nested too deeply/, 'b.json', '['.repeat(150) + '"x"' + ']'.repeat(150));
  const group = slideXml('<p:grpSp>'.repeat(100_000) + '</p:grpSp>'.repeat(100_000));
  await expectRefused('file_unreadable', /nested too deeply/, 'a.pptx', pptx([{ xml: group }]));
});

test('a message of parts within parts', async () => {
  const open = Array.from(
    { length: 2_000 },
    (_, n) => `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`,
  );
  await expectRefused(
    'file_unreadable',
    /damaged|nested/,
    'a.eml',
    `From: a@example.com\r\nSubject: x\r\n${open.join('')}\r\nText.`,
  );
});

test('a file that was cut off', async () => {
  for (const [name, bytes] of Object.entries({
    'a.xlsx': sheet(sheetXml([['x']])),
    'a.pptx': pptx([{ xml: slide('x') }]),
  })) {
    await expectRefused('file_unreadable', /its end is missing/, name, bytes.subarray(0, bytes.length - 40));
  }
  await expectRefused('file_unreadable', /damaged/, 'b.xlsx', sheet('<worksheet><sheetData><row>'));
  await expectRefused('file_unreadable', /damaged/, 'b.pptx', pptx([{ xml: '<p:sld>' }]));
  const broken = sheet(sheetXml(Array.from({ length: 500 }, (_, n) => [`cell ${n}`])));
  broken.fill(0xff, 1_500, 1_550);
  await expectRefused('file_unreadable', /damaged/, 'c.xlsx', broken);
});
