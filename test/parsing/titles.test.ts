import { describe, expect, test } from '@jest/globals';
import { parseFile } from '../../parsing/parse-file.ts';
import { usableTitle } from '../../parsing/usable-title.ts';
import { docx, pptx, wordDocument } from '../support/files/office-files.ts';

const parse = (name: string, content: string | Uint8Array) =>
  parseFile({ name, mediaType: '', bytes: Buffer.from(content) });

const long = 'The desk on the ground floor hands out badges from eight in the morning until noon.';
const properties = (title: string) => ({ 'docProps/core.xml': `<cp:x><dc:title>${title}</dc:title></cp:x>` });

describe('a title', () => {
  test('comes from the front matter, also with a colon, over several lines, in TOML and in the source of an HTML page', async () => {
    expect((await parse('a.md', `---\ntitle: "Badges: who gets one"\n---\n# Other\n\n${long}`)).title).toBe(
      'Badges: who gets one',
    );
    expect((await parse('a.md', `---\ntitle: >\n  Who gets\n  a badge\n---\n${long}`)).title).toBe('Who gets a badge');
    expect((await parse('a.md', `---\ntitle: Broken: yet read\n---\n${long}`)).title).toBe('Broken: yet read');
    expect((await parse('a.md', `+++\ntitle = 'Badges'\n[menu]\ntitle = "No"\n+++\n${long}`)).title).toBe('Badges');
    expect((await parse('a.html', `---\ntitle: Badges\n---\n<h1>{{ page.title }}</h1><p>${long}</p>`)).title).toBe(
      'Badges',
    );
  });

  test('comes from <title> without the name of the site, and from the properties of an office file', async () => {
    const page = (title: string, heading: string) => `<title>${title}</title><h1>${heading}</h1><p>${long}</p>`;
    expect((await parse('a.html', page('Lost badges', 'Welcome'))).title).toBe('Lost badges');
    expect((await parse('a.html', page('Acme | Lost badges', 'Lost badges'))).title).toBe('Lost badges');
    expect((await parse('a.docx', docx(wordDocument(long), properties('Lost badges')))).title).toBe('Lost badges');
    expect((await parse('a.docx', docx(wordDocument(long), properties('Microsoft Word - x.doc')))).title).toBe('a');
    const slide = `<p:sld><p:sp><p:txBody><a:p><a:r><a:t>${long}</a:t></a:r></a:p></p:txBody></p:sp></p:sld>`;
    expect((await parse('a.pptx', pptx([{ xml: slide }], properties('Lost badges')))).title).toBe('Lost badges');
  });

  test('is else the first heading of the highest level', async () => {
    expect((await parse('a.md', `### Note\n\n${long}\n\n# Badges\n\n${long}\n\n# Doors\n\n${long}`)).title).toBe(
      'Badges',
    );
    expect((await parse('a.html', `<title>Untitled document</title><h2>Badges</h2><p>${long}`)).title).toBe('Badges');
  });

  test('is not what a program writes by itself, a file name, a path or an identifier', () => {
    const useless = [
      'Untitled',
      'Untitled document',
      'Microsoft Word - leave.doc',
      'leave_final.pdf',
      'PowerPoint-Präsentation',
      'Présentation PowerPoint',
      'Document1',
      '(anonymous)',
      'file:///C:/leave',
      'C:\\leave',
      '3f2b8c1e-8a44-4b0e-9d2a-0c8e1f2a3b4c',
      '12',
    ];
    for (const title of useless) expect([title, usableTitle(title)]).toEqual([title, undefined]);
    for (const title of ['Document retention', 'Home office', 'Presentation skills', 'Microsoft Word - Leave'])
      expect(usableTitle(title)).toBe(title.replace('Microsoft Word - ', ''));
  });
});

describe('front matter', () => {
  test('is found by its description, keywords and tags, under the first heading', async () => {
    const { text } = await parse(
      'a.md',
      `---\nlayout: page\ndescription: Who gets one\ntags: [doors, access]\nkeywords:\n  - entry card\n---\n\n# Badges\n\n${long}`,
    );
    expect(text).toBe(`Badges\nDescription: Who gets one\nKeywords: entry card\nTags: doors, access\n\n${long}`);
  });

  test('alone is refused with that reason', async () => {
    await expect(parse('a.md', '---\ntitle: Badges\ntags: [x]\n---\n')).rejects.toMatchObject({
      code: 'file_empty',
      message: expect.stringContaining('only front matter'),
    });
  });
});

describe('template markup', () => {
  test('of Liquid, Hugo and MDX is not text; what it encloses is, and so are examples in code', async () => {
    const { text } = await parse(
      'a.md',
      [
        "import Tabs from '@theme/Tabs';\nimport {\n  A,\n} from './a';",
        'export const x = {\n  a: 1,\n};',
        '{% include note.html %}\n{% raw %}{{ shown }}{% endraw %} {% comment %}hidden{% endcomment %}',
        '{{< note >}}Wear it.{{< /note >}}\n{: .warning }',
        '<Tabs values={[{ a: 1 }]}>\n<TabItem value="x" label="Visitors">\n\nAsk.\n\n</TabItem>\n</Tabs>',
        '{/* hidden */}Write `{{ name }}` and `<Tabs>`.',
        '```\n{{ name }}\nimport x from "y"\n```',
      ].join('\n\n'),
    );
    expect(text).toBe(
      '{{ shown }}\n\nWear it.\n\nVisitors\n\nAsk.\n\nWrite {{ name }} and <Tabs>.\n\n{{ name }}\nimport x from "y"',
    );
  });
});

describe('a heading with one short line', () => {
  const pathsAndTexts = async (markdown: string) =>
    (await parse('a.md', markdown)).chunks.map(({ headingPath, text }) => [headingPath.join('/'), text]);

  test('is in one passage with what follows below or beside it', async () => {
    expect(await pathsAndTexts(`# Badges\n\nShort.\n\n## Lost\n\n${long}`)).toEqual([
      ['Badges', `Short.\n\nLost\n\n${long}`],
    ]);
    expect(await pathsAndTexts(`# Badges\n\n## Fee\n\n25 EUR.\n\n## Lost\n\n${long}`)).toEqual([
      ['Badges', `Fee\n\n25 EUR.\n\nLost\n\n${long}`],
    ]);
  });

  test('is in one passage with the section before it when it is the last beside it', async () => {
    expect(
      await pathsAndTexts(`# Badges\n\n## Lost\n\n${long}\n\n## Help\n\n- Ask.\n- Call.\n\n# Doors\n\n${long}`),
    ).toEqual([
      ['Badges', `Lost\n\n${long}\n\nHelp\n\n- Ask.\n- Call.`],
      ['Doors', long],
    ]);
  });

  test('is left out when it has no text at all and no neighbour, unless it is all that there is', async () => {
    expect(await pathsAndTexts(`# Badges\n\n${long}\n\n# Duties`)).toEqual([['Badges', long]]);
    expect(await pathsAndTexts('# Badges')).toEqual([['Badges', 'Badges']]);
  });

  test('has the line above it that the document begins with', async () => {
    expect(await pathsAndTexts(`Back to the list\n\n# Badges\n\n${long}`)).toEqual([
      ['Badges', `Back to the list\n\nBadges\n\n${long}`],
    ]);
  });

  test('is a passage of its own before another chapter', async () => {
    expect(await pathsAndTexts(`# Badges\n\n## Fee\n\n25 EUR.\n\n# Doors\n\n${long}`)).toEqual([
      ['Badges/Fee', '25 EUR.'],
      ['Doors', long],
    ]);
  });
});
