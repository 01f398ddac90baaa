import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../../knowledge/parsing/document-parser.ts';
import type { ErrorCode } from '../../../contract/errors.ts';
import { docx } from '../../support/files/office-files.ts';
import { examplePolicy, fixture, parseWith } from '../../support/files/parsing.ts';
import { zipFile } from '../../support/files/zip-file.ts';

let parser: ReturnType<typeof createDocumentParser>;
beforeAll(() => void (parser = createDocumentParser({ processes: 1 })));
afterAll(() => parser.close());
const parse = parseWith(() => parser);

/** Each message names the file first, then says what is wrong and what to do. */
async function refused(code: ErrorCode, why: RegExp, name: string, content: string | Uint8Array, mediaType?: string) {
  const error = (await parse(name, content, mediaType).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ name: 'AlfredError', code });
  expect(error.message.startsWith(`${name}: `)).toBe(true);
  expect(error.message).toMatch(why);
}

const pdfWithoutText =
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF';

test('an empty file', async () => {
  await refused('file_empty', /0 bytes/, 'a.md', '');
  await refused('file_empty', /holds no text/, 'a.md', ' \n\u200b\n');
  await refused('file_empty', /holds no text/, 'a.html', '<nav>Menu</nav><script>x()</script>');
  await refused('file_empty', /OCR/, 'scan.pdf', pdfWithoutText);
});

test('a binary file under a name that says text', async () => {
  await refused(
    'file_type_unsupported',
    /binary, not text/,
    'a.txt',
    Buffer.concat([Buffer.from('\x7fELF\0\0'), randomBytes(500)]),
  );
  await refused(
    'file_type_unsupported',
    /binary, not text/,
    'a.md',
    Buffer.from(randomBytes(4_000).map((byte) => byte | 1)),
  );
  await refused(
    'file_type_unsupported',
    /content is a \.pdf file.*Rename/,
    'a.txt',
    await examplePolicy('health-and-safety.pdf'),
  );
  await refused(
    'file_type_unsupported',
    /content is a \.docx file.*Rename/,
    'a.pdf',
    await examplePolicy('equipment.docx'),
  );
});

test('a kind that is not read', async () => {
  await refused('file_type_unsupported', /\.log files are not read; \.md \.txt/, 'a.log', 'a,b\n1,2');
  await refused(
    'file_type_unsupported',
    /application\/x-yaml files are not read/,
    'data',
    'a: 1',
    'application/x-yaml',
  );
  await refused('file_type_unsupported', /zip archive or another kind/, 'a.docx', zipFile({ 'content.xml': '<x/>' }));
  await refused('file_type_unsupported', /old Office or Outlook file/, 'a.doc', Buffer.from('d0cf11e0a1b11ae1', 'hex'));
});

test('a damaged file', async () => {
  const [pdf, word] = await Promise.all([examplePolicy('health-and-safety.pdf'), examplePolicy('equipment.docx')]);
  await refused('file_unreadable', /content is not that of a \.pdf/, 'a.pdf', 'Not a PDF.');
  await refused('file_unreadable', /damaged/, 'a.pdf', pdf.subarray(0, 200));
  await refused('file_unreadable', /its end is missing/, 'a.docx', word.subarray(0, 20_000));
  await refused('file_unreadable', /damaged/, 'a.docx', docx('<w:document'));
});

test('a file with a password', async () => {
  await refused('file_encrypted', /Remove the password/, 'a.pdf', await fixture('password.pdf'));
  await refused('file_encrypted', /Remove the password/, 'a.docx', await fixture('password.docx'));
});

test('HTML nested a hundred thousand deep', async () => {
  await refused('file_unreadable', /nested too deeply/, 'a.html', `${'<div>'.repeat(100_000)}x`);
});

test('a line of five million characters is read', async () => {
  for (const name of ['a.txt', 'a.md']) {
    const { chunks } = await parse(name, 'word '.repeat(1_000_000));
    expect(chunks.length).toBeGreaterThan(3_000);
    expect(chunks.every(({ text }) => text.startsWith('word') && text.endsWith('word'))).toBe(true);
  }
});
