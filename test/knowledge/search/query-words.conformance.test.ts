import { describe, expect, test } from '@jest/globals';
import { fuse } from '../../../knowledge/search/fusion.ts';
import { createEmbeddedPlace, createQdrantPlace } from '../../support/documents/passage-indexes.ts';
import { local } from '../../support/documents/put-document.ts';
import { codes, languageCases } from './language-cases.ts';
import { everyone, useIndexPlace } from './use-index-place.ts';

describe.each([
  ['embedded', createEmbeddedPlace],
  ['Qdrant', createQdrantPlace],
] as const)('a query of the %s index', (_, createPlace) => {
  const { amend, byWords, open, put, textsOf } = useIndexPlace(createPlace);

  test('finds words in every script and in other forms', async () => {
    const index = open();
    for (const [name, text, , language] of languageCases) {
      const { documentId } = await put(`${name}.txt`, text);
      if (language) await amend(documentId, { language });
    }
    for (const [name, text, query] of languageCases)
      expect({ name, found: await byWords(index, query) }).toEqual({
        name,
        found: expect.arrayContaining([text]) as unknown,
      });
  });

  test('finds only stop words when it has nothing else', async () => {
    await put('language.txt', 'It is what it is.');
    expect(await byWords(open(), 'what is it')).toEqual(['It is what it is.']);
  });

  test('finds the notice with a code before those that differ from it in that code', async () => {
    const notice = (code: string) => `Notice ${code}: close the valve, then report the reading to the shift lead.`;
    await put('notices.txt', codes.map(notice).join('\n\n'));
    const index = open();
    for (const code of codes)
      for (const query of [code, `What does notice ${code} say about the valve?`, code.toLowerCase()]) {
        const found = await index.find(local, everyone, { text: query }, 10);
        expect([query, (await textsOf(fuse(found)))[0]]).toEqual([query, notice(code)]);
        expect((await textsOf(found.lexical))[0]).toBe(notice(code));
      }
  });

  test('does not take a code that no passage holds for another', async () => {
    await put('notices.txt', 'Notice PPR-9087: close the valve.\n\nNotice PPR-9978 of version v2.10.1.');
    const index = open();
    for (const code of ['PPR-9999', 'ppr-9988', 'v2.10.2', 'C#', 'PPR-90'])
      expect(await index.find(local, everyone, { text: code }, 10)).toMatchObject({
        lexical: [],
        codes: [{ code, holders: [] }],
        corrections: [],
      });
    expect(await byWords(index, '9087')).toHaveLength(1);
    expect(await byWords(index, 'v2.10')).toHaveLength(1);
  });

  test('finds codes that are written together with others, and says nothing of what only looks like one', async () => {
    await put('both.txt', 'Valves: see PPR-9087/PPR-9088, /srv/notes/PPR-9089.pdf or Ticket:PPR-9090.');
    await put('other.txt', 'Notice PPR-9100: open the valve.');
    const index = open();
    const codesIn = async (text: string) =>
      (await index.find(local, everyone, { text }, 10)).codes.map(({ code, holders }) => [code, holders.length]);
    expect(await codesIn('PPR-9088 PPR-9089 PPR-9090')).toEqual([
      ['PPR-9088', 1],
      ['PPR-9089', 1],
      ['PPR-9090', 1],
    ]);
    expect(await codesIn('PPR-9100/PPR-9999')).toEqual([
      ['PPR-9100', 1],
      ['PPR-9999', 0],
    ]);
    expect(await codesIn('https://jira.example.com/browse/PPR-9100')).toEqual([['PPR-9100', 1]]);
    expect(await codesIn('top-10 for 5/user from 9:00-17:00, call 555-123-4567 or mail web1@a1.example.com')).toEqual(
      [],
    );
  });

  test('names the codes only of passages that the caller may read', async () => {
    await put('secret.txt', 'Notice PPR-9087: close the valve.', { readers: [] });
    await put('open.txt', 'Notice PPR-9978: open the valve.');
    const { codes: found } = await open().find(local, everyone, { text: 'PPR-9087 PPR-9978' }, 10);
    expect(found.map(({ holders }) => holders.length)).toEqual([0, 1]);
  });
});
