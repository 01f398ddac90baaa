import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import { parseFile } from '../../parsing/parse-file.ts';
import { pictureSize } from '../../parsing/recognition/picture-size.ts';
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
      unreadPictures: true,
    });
    const attached = [
      'MIME-Version: 1.0',
      'From: ann@example.com',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: application/pdf; name=file.pdf',
      'Content-Transfer-Encoding: base64',
      '',
      (await fixture('mixed-scan.pdf')).toString('base64'),
      '--x--',
    ].join('\r\n');
    expect((await parse('a.eml', attached)).unreadPictures).toBe(true);
    expect((await parse('a.txt', 'Text.')).unreadPictures).toBe(false);
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

describe('a page', () => {
  /** A PDF whose pages, 100 × 100 points each, paint what `contents` say, with these images as /I0, /I1 …. */
  const pdfOf = (contents: string[], images: Buffer[] = []) => {
    const names = images.map((_, n) => `/I${n} ${n + 3} 0 R`).join(' ');
    const pages = contents.map((_, n) => images.length + 3 + 2 * n);
    return Buffer.concat([
      Buffer.from(
        `%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n` +
          `2 0 obj <</Type/Pages/Count ${pages.length}/Kids[${pages.map((id) => `${id} 0 R`).join(' ')}]` +
          `/MediaBox[0 0 100 100]/Resources<</XObject<<${names}>>>>>> endobj\n`,
      ),
      ...images.flatMap((image, n) => [Buffer.from(`${n + 3} 0 obj `), image, Buffer.from(' endobj\n')]),
      ...contents.map((content, n) =>
        Buffer.from(
          `${pages[n]} 0 obj <</Type/Page/Parent 2 0 R/Contents ${(pages[n] ?? 0) + 1} 0 R>> endobj\n` +
            `${(pages[n] ?? 0) + 1} 0 obj <</Length ${content.length}>> stream\n${content}\nendstream endobj\n`,
        ),
      ),
      Buffer.from('trailer <</Root 1 0 R>>\n%%EOF'),
    ]);
  };
  const image = (side: number, components: 1 | 3) => {
    const data = deflateSync(Buffer.alloc(side * side * components, 200));
    const header = `<</Type/XObject/Subtype/Image/Width ${side}/Height ${side}/BitsPerComponent 8/Filter/FlateDecode`;
    const space = components === 1 ? 'DeviceGray' : 'DeviceRGB';
    return Buffer.concat([
      Buffer.from(`${header}/ColorSpace/${space}/Length ${data.length}>> stream\n`),
      data,
      Buffer.from('\nendstream'),
    ]);
  };
  const paint = (name: string) => `q 100 0 0 100 0 0 cm /${name} Do Q\n`;
  const huge = image(4_000, 3);
  const recognised: string[] = [];
  const read = (name: string, bytes: Buffer) =>
    parseFile({ name, mediaType: '', bytes }, async () => `${recognised.push(name)} pages`);

  test('that is blank is no scan, however many there are', async () => {
    const blank = Array.from({ length: 160 }, () => '');
    const { text, notes } = await read('blank.pdf', pdfOf([paint('I0'), ...blank], [image(50, 1)]));
    expect(text).toBe('1 pages');
    expect(notes).toEqual([expect.stringMatching(/^No text on pages 2, 3, .*, …\.$/)]);
  });

  test('of which the pictures unpack to too much, or cover it too often, is refused', async () => {
    const large = Array.from({ length: 6 }, () => huge);
    const all = large.map((_, n) => paint(`I${n}`)).join('');
    const refusal = { code: 'file_too_large', message: expect.stringContaining('the pictures of page 1 are too') };
    await expect(read('large.pdf', pdfOf([all], large))).rejects.toMatchObject(refusal);
    await expect(read('often.pdf', pdfOf([paint('I0').repeat(1_000)], [image(50, 1)]))).rejects.toMatchObject(refusal);
    // Pictures that many pages share count once a page.
    const shared = Array.from({ length: 7 }, () => paint('I0'));
    expect((await read('shared.pdf', pdfOf(shared, [huge]))).chunks).toHaveLength(7);
    expect(await read('twice.pdf', pdfOf([paint('I0').repeat(2)], [image(50, 1)]))).toMatchObject({
      text: expect.stringMatching(/pages/),
    });
  });
});

test('the size of a picture is read past markers without a length, and not from a header that does not have it', () => {
  const frame = (height: number, width: number) => [
    0xff,
    0xc0,
    0,
    11,
    8,
    height >> 8,
    height & 255,
    0,
    width,
    1,
    1,
    0,
    0,
  ];
  const jpeg = (...bytes: number[]) => pictureSize(Uint8Array.from([0xff, 0xd8, ...bytes]));
  expect(jpeg(0xff, 0x01, 0xff, 0xff, 0xd0, 0xff, 0xe0, 0, 4, 0xff, 0xc0, ...frame(300, 20))).toEqual({
    width: 20,
    height: 300,
    pages: 1,
  });
  // The height stands after the first scan (DNL), or the frame does: the reader would take it from there.
  expect(jpeg(...frame(0, 20))).toBeUndefined();
  expect(jpeg(0xff, 0xda, 0, 2, ...frame(300, 20))).toBeUndefined();
  expect(jpeg(0xff, 0xd9, ...frame(300, 20))).toBeUndefined();
  const tiff = (number: number, ...directories: [tag: number, type: number, value: number][][]) => {
    const bytes = Buffer.alloc(8 + directories.length * 200);
    bytes.write('MM');
    bytes.writeUInt16BE(number, 2);
    bytes.writeUInt32BE(8, 4);
    for (const [n, entries] of directories.entries()) {
      const at = 8 + n * 200;
      bytes.writeUInt16BE(entries.length, at);
      for (const [index, [tag, type, value]] of entries.entries()) {
        const entry = at + 2 + index * 12;
        bytes.writeUInt16BE(tag, entry);
        bytes.writeUInt16BE(type, entry + 2);
        if (type === 1) bytes.writeUInt8(value, entry + 8);
        else if (type === 3) bytes.writeUInt16BE(value, entry + 8);
        else bytes.writeUInt32BE(value, entry + 8);
      }
      if (n + 1 < directories.length) bytes.writeUInt32BE(at + 200, at + 2 + entries.length * 12);
    }
    return pictureSize(bytes);
  };
  const page: [number, number, number][] = [
    [256, 3, 900],
    [257, 4, 70_000],
  ];
  const copy: [number, number, number][] = [
    [254, 4, 1],
    [256, 1, 90],
    [257, 1, 70],
  ];
  expect(tiff(42, page, copy)).toEqual({ width: 900, height: 70_000, pages: 1 });
  expect(tiff(42, copy)).toMatchObject({ width: 90, height: 70 });
  expect(tiff(42, page, page)).toMatchObject({ pages: 2 });
  expect(tiff(43, page)).toBeUndefined();
});

test('the setting', () => {
  expect(parseOcrSetting('off')).toEqual({ kind: 'off' });
  expect(parseOcrSetting('tesseract')).toEqual({ kind: 'tesseract', languages: ['eng'] });
  expect(parseOcrSetting('tesseract:eng+chi_sim')).toEqual({ kind: 'tesseract', languages: ['eng', 'chi_sim'] });
  expect(parseOcrSetting('https://ocr.example/v1/read')).toMatchObject({ kind: 'server' });
  for (const wrong of ['', 'on', 'tesseract:', 'tesseract:../eng', 'tesseractx', 'ftp://host', 'https://user:pw@host'])
    expect(parseOcrSetting(wrong)).toBeUndefined();
});
