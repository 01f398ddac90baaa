import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import { docx } from '../support/files/office-files.ts';
import { examplePolicy, fixture, parseWith } from '../support/files/parsing.ts';
import { zipFile } from '../support/files/zip-file.ts';

let parser: ReturnType<typeof createDocumentParser>;
beforeAll(() => {
  parser = createDocumentParser({ processes: 1 });
});
afterAll(() => parser.close());
const parse = parseWith(() => parser);

type TestFile = { name: string; content: string | Uint8Array; mediaType?: string };

/** Checks the error's code, that its message begins with the file's name, and that it names the reason. */
async function expectRefused(code: ErrorCode, reason: RegExp, { name, content, mediaType }: TestFile) {
  const error = (await parse(name, content, mediaType).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ name: 'AlfredError', code });
  expect(error.message.startsWith(`${name}: `)).toBe(true);
  expect(error.message).toMatch(reason);
}

const pdfWithoutText =
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF';

test('an empty file', async () => {
  await expectRefused('file_empty', /0 bytes/, { name: 'a.md', content: '' });
  await expectRefused('file_empty', /holds no text/, { name: 'a.md', content: ' \n\u200b\n' });
  await expectRefused('file_empty', /holds no text/, {
    name: 'a.html',
    content: '<nav>Menu</nav><script>x()</script>',
  });
  await expectRefused('file_empty', /OCR/, { name: 'scan.pdf', content: pdfWithoutText });
});

test('a binary file with the extension of a text file', async () => {
  await expectRefused('file_type_unsupported', /binary, not text/, {
    name: 'a.txt',
    content: Buffer.concat([Buffer.from('\x7fELF\0\0'), randomBytes(500)]),
  });
  await expectRefused('file_type_unsupported', /binary, not text/, {
    name: 'a.md',
    content: Buffer.from(randomBytes(4_000).map((byte) => byte | 1)),
  });
});

test('a kind of file that is not supported', async () => {
  await expectRefused('file_type_unsupported', /\.log files are not read; \.md \.txt/, {
    name: 'a.log',
    content: 'a,b\n1,2',
  });
  await expectRefused('file_type_unsupported', /application\/x-yaml files are not read/, {
    name: 'data',
    content: 'a: 1',
    mediaType: 'application/x-yaml',
  });
  await expectRefused('file_type_unsupported', /\.ipynb files are not read/, {
    name: 'a.ipynb',
    content: '{"cells": []}',
  });
  await expectRefused('file_type_unsupported', /Rich Text/, { name: 'a.txt', content: '{\\rtf1\\ansi Leave}' });
  await expectRefused('file_type_unsupported', /zip archive or another kind/, {
    name: 'a.docx',
    content: zipFile({ 'content.xml': '<x/>' }),
  });
  await expectRefused('file_type_unsupported', /an OpenDocument file \(\.odt/, {
    name: 'a.odt',
    content: zipFile({ mimetype: 'application/vnd.oasis.opendocument.text', 'content.xml': '<x/>' }),
  });
  await expectRefused('file_type_unsupported', /packed file \(gzip\): unpack it first/, {
    name: 'a.csv',
    content: Buffer.from('1f8b0800000000000003', 'hex'),
  });
  await expectRefused('file_type_unsupported', /old Office or Outlook file/, {
    name: 'a.doc',
    content: Buffer.from('d0cf11e0a1b11ae1', 'hex'),
  });
});

test('a damaged file', async () => {
  const [pdf, word] = await Promise.all([examplePolicy('health-and-safety.pdf'), examplePolicy('equipment.docx')]);
  await expectRefused('file_unreadable', /content is not that of a \.pdf/, { name: 'a.pdf', content: 'Not a PDF.' });
  await expectRefused('file_unreadable', /damaged/, { name: 'a.pdf', content: pdf.subarray(0, 200) });
  await expectRefused('file_unreadable', /its end is missing/, { name: 'a.docx', content: word.subarray(0, 20_000) });
  await expectRefused('file_unreadable', /damaged/, { name: 'a.docx', content: docx('<w:document') });
});

test('a file with a password', async () => {
  await expectRefused('file_encrypted', /Remove the password/, {
    name: 'a.pdf',
    content: await fixture('password.pdf'),
  });
  await expectRefused('file_encrypted', /Remove the password/, {
    name: 'a.docx',
    content: await fixture('password.docx'),
  });
});

test('HTML with a hundred thousand nested elements', async () => {
  await expectRefused('file_unreadable', /nested too deeply/, {
    name: 'a.html',
    content: `${'<div>'.repeat(100_000)}x`,
  });
});

test('a line of five million characters is read', async () => {
  for (const name of ['a.txt', 'a.md']) {
    const { chunks } = await parse(name, 'word '.repeat(1_000_000));
    expect(chunks.length).toBeGreaterThan(3_000);
    expect(chunks.every(({ text }) => text.startsWith('word') && text.endsWith('word'))).toBe(true);
  }
});
