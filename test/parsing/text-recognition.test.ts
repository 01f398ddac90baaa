import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import { parseOcrSetting } from '../../contract/ocr.ts';
import { fixture, parseWith } from '../support/files/parsing.ts';

/** What the fixtures show: a scan of a record, a little turned, with specks. */
const record =
  'Hoist inspection record\n\nThe hoist in bay 7 was inspected on 14 March 2025.\n\n' +
  'The brake lining is worn to 3.2 mm and must be replaced before the hoist lifts more than 500 kg again.';

describe('by Tesseract', () => {
  let parser: ReturnType<typeof createDocumentParser>;
  beforeAll(() => {
    parser = createDocumentParser({ processes: 1, ocr: { kind: 'tesseract', languages: ['eng'] } });
  });
  afterAll(() => parser.close());
  const parse = parseWith(() => parser);

  test('a picture is read', async () => {
    expect(await parse('inspection.png', await fixture('inspection.png'))).toMatchObject({
      title: 'inspection',
      language: 'en',
      text: record,
    });
  });

  test('a scanned page that lies on its side, in strips, is read between pages with text', async () => {
    const { text, chunks, notes } = await parse('file.pdf', await fixture('mixed-scan.pdf'));
    expect(text).toBe(`Hoist in bay 7: cover sheet, typed in an editor.\n\n${record}`);
    expect(chunks.map(({ page }) => page)).toEqual([1, 2]);
    expect(notes).toBeUndefined();
  });

  test('a damaged, a huge and an empty picture are refused', async () => {
    const png = Buffer.from(await fixture('inspection.png'));
    await expect(parse('a.png', png.subarray(0, 20))).rejects.toMatchObject({
      code: 'file_unreadable',
      message: 'a.png: the picture is damaged. Save it again as PNG and add it again.',
    });
    await expect(parse('b.png', png.subarray(0, 600))).rejects.toMatchObject({ code: 'file_unreadable' });
    png.writeUInt32BE(1_000_000, 16);
    await expect(parse('c.png', png)).rejects.toMatchObject({ code: 'file_too_large' });
  });
});

test('a language without data is named with its package', async () => {
  const parser = createDocumentParser({ processes: 1, ocr: { kind: 'tesseract', languages: ['eng', 'tlh'] } });
  await expect(parseWith(() => parser)('a.png', await fixture('inspection.png'))).rejects.toMatchObject({
    code: 'file_unreadable',
    message: expect.stringContaining('npm install @tesseract.js-data/tlh'),
  });
  await parser.close();
});

describe('off', () => {
  let parser: ReturnType<typeof createDocumentParser>;
  beforeAll(() => {
    parser = createDocumentParser({ processes: 1 });
  });
  afterAll(() => parser.close());
  const parse = parseWith(() => parser);

  test('a picture is refused with the setting, and a text that is one as what it is', async () => {
    const png = await fixture('inspection.png');
    await expect(parse('a.png', png)).rejects.toMatchObject({
      code: 'file_type_unsupported',
      message: expect.stringMatching(/this is a picture.*ALFRED_OCR/),
    });
    await expect(parse('a.txt', png)).rejects.toThrow(/a\.txt: this is a picture.*ALFRED_OCR/);
    await expect(parse('a.jpg', 'no picture')).rejects.toThrow('the content is not that of a picture');
  });

  test('a document with pages that may be scans says which', async () => {
    expect(await parse('file.pdf', await fixture('mixed-scan.pdf'))).toMatchObject({
      text: 'Hoist in bay 7: cover sheet, typed in an editor.',
      notes: ['No text on page 2. For scans, set ALFRED_OCR.'],
    });
  });
});

test('by a server: the process that reads files asks for each picture, and its refusal is the reason', async () => {
  const sizes: number[] = [];
  const parser = createDocumentParser({
    processes: 1,
    ocr: { kind: 'server', url: 'http://ocr.example' },
    recogniser: {
      recognise: async (picture) => {
        sizes.push(picture.length);
        if (sizes.length === 2) throw new Error('the server is gone');
        return 'GATE\n\nThe gate opens at six.';
      },
    },
  });
  const parse = parseWith(() => parser);
  expect((await parse('file.pdf', await fixture('mixed-scan.pdf'))).text).toContain('The gate opens at six.');
  await expect(parse('a.png', await fixture('inspection.png'))).rejects.toMatchObject({
    code: 'file_unreadable',
    message: 'a.png: text recognition broke off.',
  });
  expect(sizes[1]).toBe((await fixture('inspection.png')).length);
  await parser.close();
});

test('the setting', () => {
  expect(parseOcrSetting('off')).toEqual({ kind: 'off' });
  expect(parseOcrSetting('tesseract')).toEqual({ kind: 'tesseract', languages: ['eng'] });
  expect(parseOcrSetting('tesseract:eng+chi_sim')).toEqual({ kind: 'tesseract', languages: ['eng', 'chi_sim'] });
  expect(parseOcrSetting('https://ocr.example/v1/read')).toMatchObject({ kind: 'server' });
  for (const wrong of ['', 'on', 'tesseract:', 'tesseract:../eng', 'tesseractx', 'ftp://host', 'https://user:pw@host'])
    expect(parseOcrSetting(wrong)).toBeUndefined();
});
