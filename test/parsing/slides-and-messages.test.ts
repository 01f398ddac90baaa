import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import { pptx, shape, slideTable, slideXml } from '../support/files/office-files.ts';
import { fixture, parseWith } from '../support/files/parsing.ts';

let parser: ReturnType<typeof createDocumentParser>;
beforeAll(() => {
  parser = createDocumentParser({ processes: 1 });
});
afterAll(() => parser.close());
const parse = parseWith(() => parser);

describe('a presentation', () => {
  test('has each slide as a page and heading, with text, tables and notes', async () => {
    const table = slideTable([
      ['Grade', 'Limit'],
      ['L2', '50 EUR'],
      ['L3', '80 EUR'],
    ]);
    const { title, chunks } = await parse(
      'deck.pptx',
      pptx([
        {
          xml: slideXml(shape('ctrTitle', 'Onboarding') + shape('subTitle', 'Your first week') + shape('sldNum', '1')),
          notes: 'Welcome everybody.',
        },
        { xml: slideXml(`<p:grpSp>${shape('body', 'Laptop\n  Charger\nBadge')}</p:grpSp>${table}`) },
        { xml: slideXml('') },
      ]),
    );
    expect(title).toBe('Onboarding');
    expect(chunks.map(({ headingPath, page, text }) => [headingPath, page, text])).toEqual([
      [['Onboarding'], 1, 'Your first week\n\nNotes: Welcome everybody.'],
      [['Slide 2'], 2, 'Laptop\n  Charger\nBadge\n\nGrade: L2; Limit: 50 EUR\nGrade: L3; Limit: 80 EUR'],
    ]);
  });

  test('without slide titles has the title of its properties, or its name if that is a default', async () => {
    const untitled = [{ xml: slideXml(shape('body', 'Text')) }];
    const properties = (title: string) => ({ 'docProps/core.xml': `<cp:x><dc:title>${title}</dc:title></cp:x>` });
    expect((await parse('a.pptx', pptx(untitled, properties('Strategy')))).title).toBe('Strategy');
    expect((await parse('a.pptx', pptx(untitled, properties('PowerPoint Presentation')))).title).toBe('a');
  });

  test('is read without macros, and with only one version of alternative content', async () => {
    const alternative = `<mc:AlternateContent><mc:Choice>${shape('body', 'Once')}</mc:Choice><mc:Fallback>${shape('body', 'Once')}</mc:Fallback></mc:AlternateContent>`;
    const bytes = pptx([{ xml: slideXml(alternative) }], { 'ppt/vbaProject.bin': 'Sub AutoOpen()' });
    expect((await parse('a.pptm', bytes)).text).toBe('Slide 1\n\nOnce');
  });
});

const message = (headers: string[], ...body: string[]) => [...headers, '', ...body].join('\r\n');
const headers = [
  'From: =?utf-8?q?J=C3=BCrgen?= <jm@example.com>',
  'To: Bea <b@example.com>, c@example.com',
  'Subject: =?utf-8?q?Re:_Reisekosten_f=C3=BCr_Berlin?=',
  'Date: Wed, 1 May 2024 10:00:00 +0200',
];

describe('a message', () => {
  test('has its subject, people and date, and its text with quoted messages', async () => {
    const { title, text } = await parse(
      'a.eml',
      message(
        [...headers, 'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: quoted-printable'],
        'Ja, 150 Euro. Gr=FC=DFe',
        '',
        '> Wie viel darf das Hotel kosten?',
      ),
    );
    expect(title).toBe('Re: Reisekosten für Berlin');
    expect(text).toBe(
      [
        'Re: Reisekosten für Berlin',
        'From: Jürgen <jm@example.com>\nTo: Bea <b@example.com>, c@example.com\nDate: Wed, 1 May 2024 10:00:00 +0200',
        'Ja, 150 Euro. Grüße',
        '> Wie viel darf das Hotel kosten?',
      ].join('\n\n'),
    );
  });

  test('in HTML keeps its tables, and says why an attachment is not read', async () => {
    const { text } = await parse(
      'mail',
      message(
        [...headers.slice(2, 3), 'From: a@example.com', 'Content-Type: multipart/mixed; boundary=b'],
        '--b',
        'Content-Type: text/html',
        '',
        '<p>Limits:</p><table><tr><th>City<th>Limit<tr><td>Berlin<td>150</table>',
        '--b',
        'Content-Type: application/pdf; name="rules.pdf"',
        'Content-Disposition: attachment; filename="rules.pdf"',
        'Content-Transfer-Encoding: base64',
        '',
        'JVBERi0=',
        '--b--',
      ),
      'message/rfc822',
    );
    expect(text).toBe(
      'Re: Reisekosten für Berlin\n\nFrom: a@example.com\n\nLimits:\n\nCity: Berlin; Limit: 150\n\nrules.pdf\n\n' +
        'Not read: the PDF is damaged and cannot be opened. Export it again and add it again.',
    );
  });

  test('whose plain text only says that it cannot be shown is read in HTML', async () => {
    const { text } = await parse('stub-alternative.eml', await fixture('stub-alternative.eml'));
    expect(text).toMatch(/Budget for the tidal project.*2\.4 million EUR[\s\S]*Reference BD-118/);
    expect(text).not.toContain('cannot show');
  });

  test('is read with its attachments and with attached messages, each under its name', async () => {
    const part = (type: string, ...lines: string[]) => ['--b', `Content-Type: ${type}`, ...lines];
    const inner = message(
      ['From: d@example.com', 'Subject: Earlier', 'Content-Type: text/plain'],
      'The limit was 120 EUR.',
    );
    const { chunks, text } = await parse(
      'a.eml',
      message(
        [...headers, 'Content-Type: multipart/mixed; boundary=b'],
        ...part('text/plain', '', 'See the attached rules.'),
        ...part('text/csv; name="rates.csv"', 'Content-Disposition: attachment; filename="rates.csv"', ''),
        'City,Limit\r\nBerlin,150',
        ...part('message/rfc822', ''),
        inner,
        ...part('image/png; name="logo.png"', 'Content-Disposition: attachment; filename="logo.png"', '', 'x'),
        ...part('application/zip; name="all.zip"', 'Content-Disposition: attachment; filename="all.zip"', '', 'x'),
        '--b--',
      ),
    );
    expect(text).toContain('Attachments (not read): logo.png');
    expect(text).toContain('rates.csv\n\nCity: Berlin; Limit: 150');
    expect(text).toMatch(/Earlier\n\nFrom: d@example\.com\n\nThe limit was 120 EUR\./);
    expect(text).toMatch(/all\.zip\n\nNot read: .*\.zip files are not read/);
    expect(chunks.every(({ headingPath }) => headingPath[0] === 'Re: Reisekosten für Berlin')).toBe(true);
  });

  test('that is not a message is refused', async () => {
    await expect(parse('a.eml', 'Just a note about emails.')).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringMatching(/not that of a \.eml file/),
    });
  });
});
