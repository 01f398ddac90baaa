import { expect, test } from '@jest/globals';
import { parseFile } from '../../parsing/parse-file.ts';
import { docx, pptx, shape, sheetXml, slideXml, wordDocument, xlsx } from '../support/files/office-files.ts';
import { examplePolicy } from '../support/files/parsing.ts';

const word = docx(wordDocument('Leave'));
const page = '<!doctype html><title>Leave</title><p>Twenty-five days.</p>';
const message = 'Message-ID: <1@example.com>\r\nFrom: ann@example.com\r\nSubject: Leave\r\n\r\nTwenty-five days.';
const markdown = '# Leave\n\nTwenty-five days.';
const json = '{"leave": {"days": 25}}';

const kindOf = async (name: string, content: string | Uint8Array, mediaType = '') => {
  const parsed = await parseFile({ name, mediaType, bytes: Buffer.from(content) });
  expect(parsed.text.length).toBeGreaterThan(0);
  return [parsed.mediaType, parsed.notice];
};

test.each<[string, string | Uint8Array, string, string]>([
  ['leave', markdown, '', 'text/markdown'],
  ['leave.bin', markdown, 'application/octet-stream', 'text/markdown'],
  ['leave.bin', page, 'application/octet-stream', 'text/html'],
  ['leave.dat', json, '', 'application/json'],
  ['leave', message, '', 'message/rfc822'],
  ['leave', 'Twenty-five days, as [agreed].', '', 'text/plain'],
  ['run', '#!/bin/sh\n# copies files\ncp a b', '', 'text/plain'],
  ['leave.md', markdown, 'application/octet-stream', 'text/markdown'],
  ['leave.tsv', 'grade\tdays\nL1\t25', '', 'text/tab-separated-values'],
  ['leave.xhtml', page, 'application/xhtml+xml; charset=utf-8', 'application/xhtml+xml'],
  ['leave.jsonl', json, '', 'application/jsonl'],
  ['memo.md', 'From: Purchasing\nReceived: 3 March 2025\n\n# Leave', '', 'text/markdown'],
  ['memo.md', 'From: Ann\nTo: all\nMessage-ID: ask the help desk\n\nLeave', '', 'text/markdown'],
  ['stock.csv', 'From: Turku\nReceived: from Oulu; 3\nbolts,40\nDate: now\n', '', 'text/csv'],
  ['notes.txt', 'Subject: Leave\nFrom: Ann\nReceived: today\n\nTwenty-five days.', '', 'text/plain'],
  [
    'a',
    `From ann@example.com Mon Mar  3\nReceived: from a by b\n\twith SMTP; Mon\nDate: x\n\nHi`,
    '',
    'message/rfc822',
  ],
  ['a', 'Received: (qmail 1 invoked by uid 2); Mon\nFrom: ann@example.com\n\nHi', '', 'message/rfc822'],
  ['a', `\ufeffReceived: by b; Mon\nFrom: ann@example.com\nX-A: ${'x'.repeat(20_000)}`, '', 'message/rfc822'],
])('%s that holds %j and came as %j is %s', async (name, content, mediaType, expected) => {
  expect(await kindOf(name, content, mediaType)).toEqual([expected, undefined]);
});

test('a file that came under a name or type of another kind is read as what it is, and says so', async () => {
  const workbook = xlsx([{ name: 'Sheet1', xml: sheetXml([['x']]) }]);
  const office = 'application/vnd.openxmlformats-officedocument';
  const cases: [string, string | Uint8Array, string, RegExp, string?][] = [
    ['a.txt', await examplePolicy('health-and-safety.pdf'), 'application/pdf', /^It came as \.txt.* is a PDF: /],
    ['a.pdf', await examplePolicy('equipment.docx'), `${office}.wordprocessingml.document`, /\.pdf.*Word document/],
    ['a.docx', workbook, `${office}.spreadsheetml.sheet`, /\.docx.*workbook/],
    [
      'a.eml',
      pptx([{ xml: slideXml(shape('body', 'x')) }]),
      `${office}.presentationml.presentation`,
      /\.eml.*presentation/,
    ],
    ['a.md', page, 'text/html', /\.md.*web page/],
    ['a.pdf', page, 'text/html', /\.pdf.*web page/],
    ['leave.php', page, 'text/html', /\.php.*web page/],
    ['a.txt', json, 'application/json', /\.txt.*JSON/],
    ['a.txt', message, 'message/rfc822', /\.txt.*message/],
    ['x.exe', json, 'application/json', /text\/markdown.*JSON/, 'text/markdown'],
  ];
  for (const [name, content, expected, notice, mediaType] of cases)
    expect([name, ...(await kindOf(name, content, mediaType))]).toEqual([
      name,
      expected,
      expect.stringMatching(notice),
    ]);
  expect((await kindOf('a.bin', word))[0]).toBe(`${office}.wordprocessingml.document`);
});

test('the media type of a web server decides between texts whose content leaves it open', async () => {
  const parse = (typeDecides: boolean) =>
    parseFile({ name: 'a.md', mediaType: 'text/plain', bytes: Buffer.from('1. Leave'), typeDecides });
  expect((await parse(true)).mediaType).toBe('text/plain');
  expect((await parse(false)).mediaType).toBe('text/markdown');
});
