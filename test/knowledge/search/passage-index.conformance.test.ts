import { describe, expect, test } from '@jest/globals';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import type { PassageFilter } from '../../../knowledge/search/passage-index.ts';
import {
  createEmbeddedPlace,
  createQdrantPlace,
  otherModel,
  qdrantUsed,
  toyModel,
  toyVector,
} from '../../support/documents/passage-indexes.ts';
import { local } from '../../support/documents/put-document.ts';
import { untilPasses } from '../../support/until.ts';
import { everyone, modelOf, useIndexPlace } from './use-index-place.ts';

process.stderr.write(`The index of Qdrant is tested against ${qdrantUsed}.\n`);

describe.each([
  ['embedded', createEmbeddedPlace],
  ['Qdrant', createQdrantPlace],
] as const)('the %s index', (_, createPlace) => {
  const { amend, byMeaning, byWords, embed, open, openUnmanaged, postgres, put, textsOf, wipe } =
    useIndexPlace(createPlace);

  describe('a query', () => {
    test('by words finds passages with any of them, those with the most and the rarest words first', async () => {
      await put(
        'a.txt',
        'The parental leave is sixteen weeks.\n\nThe annual leave is four weeks.\n\nLunch is at noon.',
      );
      expect(await byWords(open(), 'How many weeks of parental leave?')).toEqual([
        'The parental leave is sixteen weeks.',
        'The annual leave is four weeks.',
      ]);
    });

    test('by meaning finds passages without a word in common', async () => {
      await put('a.txt', 'The hound barks.\n\nThe automobile is parked.');
      await embed(toyModel);
      const index = open(modelOf(toyModel));
      expect(await byMeaning(index, 'my car', toyModel)).toEqual(['The automobile is parked.', 'The hound barks.']);
    });

    test('by words and meaning returns two lists, best first, with falling scores', async () => {
      await put('a.txt', 'The hound barks.\n\nThe automobile is parked.\n\nA dog in a car.');
      await embed(toyModel);
      const query = { text: 'parked automobile', vector: toyVector(toyModel, 'car') };
      const found = await open(modelOf(toyModel)).find(local, everyone, query, 10);
      expect(await textsOf(found.lexical)).toEqual(['The automobile is parked.']);
      expect(await textsOf(found.dense)).toEqual(['The automobile is parked.', 'A dog in a car.', 'The hound barks.']);
      const scores = found.dense.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((a, b) => b - a));
      expect(scores[0]).toBeCloseTo(1, 4);
    });

    test('returns no list longer than its limit', async () => {
      await put('a.txt', Array.from({ length: 9 }, (_, i) => `Word number ${i}.`).join('\n\n'));
      await embed(toyModel);
      const query = { text: 'word', vector: toyVector(toyModel, 'car') };
      const found = await open(modelOf(toyModel)).find(local, everyone, query, 4);
      expect([found.lexical.length, found.dense.length]).toEqual([4, 4]);
    });

    test('ranks a word in the title above the same word in the text', async () => {
      await put('a.txt', '# Notes\n\nOn travel and on other things.');
      await put('b.txt', '# Travel\n\nOn trains and on other things.');
      expect((await byWords(open(), 'travel'))[0]).toBe('On trains and on other things.');
    });

    test.each(['', '?! … "" * --', '\0', '"unclosed ^ NOT (', 'word '.repeat(2_000)])(
      'of %j returns an empty list',
      async (query) => {
        await put('a.txt', 'Granite lasts.');
        expect(await byWords(open(), query)).toEqual([]);
      },
    );
  });

  describe('a filter', () => {
    test('allows passages that one of the principals may read', async () => {
      await put('all.txt', 'Granite for all.');
      await put('finance.txt', 'Granite for finance.', { readers: ['group:finance'] });
      await put('own.txt', 'Granite for me.', { readers: [] });
      await embed(toyModel);
      const index = open(modelOf(toyModel));
      const cases: [string[], string[]][] = [
        [['everyone'], ['Granite for all.']],
        [
          ['everyone', 'group:finance'],
          ['Granite for all.', 'Granite for finance.'],
        ],
        [
          ['everyone', 'subject:local'],
          ['Granite for all.', 'Granite for finance.', 'Granite for me.'],
        ],
        [['subject:other'], []],
        [[], []],
      ];
      for (const [principals, texts] of cases) {
        expect((await byWords(index, 'granite', { principals })).sort()).toEqual(texts);
        expect((await byMeaning(index, 'sun', toyModel, { principals })).sort()).toEqual(texts);
      }
    });

    test('tells how many passages it leaves, also when the lists are shorter', async () => {
      const lines = (word: string, count: number) =>
        Array.from({ length: count }, (_, i) => `${word} number ${i}.`).join('\n\n');
      await put('all.txt', lines('Granite', 5));
      await put('own.txt', lines('Basalt', 4), { readers: [] });
      await embed(toyModel);
      const index = open(modelOf(toyModel));
      const query = { text: 'number', vector: toyVector(toyModel, 'car') };
      const searched = async (principals: string[], depth: number) =>
        (await index.find(local, { principals }, query, depth)).searched;
      expect(await searched(['everyone', 'subject:local'], 3)).toBe(9);
      expect(await searched(['everyone'], 3)).toBe(5);
      expect(await searched(['everyone'], 10)).toBe(5);
      expect(await searched([], 10)).toBe(0);
    });

    test('restricts to collections, and to documents with all of the tags', async () => {
      await put('a.txt', 'Granite of a.', { collection: 'hr', tags: ['old', 'rock'] });
      await put('b.txt', 'Granite of b.', { collection: 'it', tags: ['rock'] });
      await put('c.txt', 'Granite of c.', { collection: 'law' });
      const index = open();
      const by = async (filter: Partial<PassageFilter>) =>
        (await byWords(index, 'granite', { ...everyone, ...filter })).sort();
      expect(await by({ collections: ['hr', 'law'] })).toEqual(['Granite of a.', 'Granite of c.']);
      expect(await by({ collections: [] })).toEqual([]);
      expect(await by({ tags: ['rock'] })).toEqual(['Granite of a.', 'Granite of b.']);
      expect(await by({ tags: ['rock', 'old'] })).toEqual(['Granite of a.']);
      expect(await by({ tags: [] })).toHaveLength(3);
      expect(await by({ tags: ['rock'], collections: ['it'] })).toEqual(['Granite of b.']);
    });

    test('restricts to a language, and to the time of the last change', async () => {
      const { documentId: a } = await put('a.txt', 'Granite of a.');
      const { documentId: b } = await put('b.txt', 'Granite of b.');
      await amend(a, { language: 'de', updated_at: new Date('2026-01-10T12:00:00Z') });
      await amend(b, { language: 'en', updated_at: new Date('2026-03-10T12:00:00Z') });
      await embed(toyModel);
      const index = open(modelOf(toyModel));
      const by = async (filter: Partial<PassageFilter>) => {
        const texts = await byWords(index, 'granite', { ...everyone, ...filter });
        expect(await byMeaning(index, 'sun', toyModel, { ...everyone, ...filter })).toHaveLength(texts.length);
        return texts;
      };
      const [january, march] = [Date.parse('2026-01-10T12:00:00Z'), Date.parse('2026-03-10T12:00:00Z')];
      expect(await by({ language: 'de' })).toEqual(['Granite of a.']);
      expect(await by({ updatedFrom: january + 1 })).toEqual(['Granite of b.']);
      expect(await by({ updatedTo: march - 1 })).toEqual(['Granite of a.']);
      expect(await by({ updatedFrom: january, updatedTo: january })).toEqual(['Granite of a.']);
      expect(await by({ updatedFrom: january + 1, updatedTo: march - 1 })).toEqual([]);
    });
  });

  test('tenants neither see nor count the passages of other tenants', async () => {
    const other = { tenant: 'other', subject: 'local' };
    await put('secret.txt', 'The merger is called Platypus.', {}, other);
    await put('known.txt', 'The office is called Heron.');
    const index = open();
    expect(await byWords(index, 'platypus called')).toEqual(['The office is called Heron.']);
    expect(await byWords(index, 'platypus called', everyone, 'other')).toEqual(['The merger is called Platypus.']);
    expect(await byWords(index, 'platypus', everyone, 'third')).toEqual([]);
    expect((await index.state('local')).passages).toBe(1);
    expect((await index.state('third')).passages).toBe(0);
  });

  describe('the next query sees', () => {
    test('added, replaced and deleted documents', async () => {
      const index = open();
      expect(await byWords(index, 'zeppelin')).toEqual([]);
      const { documentId } = await put('airship.txt', 'The zeppelin lands.\n\nIt has a crew of ten.');
      expect(await byWords(index, 'zeppelin')).toEqual(['The zeppelin lands.']);
      await put('airship.txt', 'The balloon lands.\n\nIt has a crew of ten.');
      expect(await byWords(index, 'zeppelin')).toEqual([]);
      expect(await byWords(index, 'balloon crew')).toHaveLength(2);
      expect((await index.state('local')).passages).toBe(2);
      await createDocuments(postgres().db).delete(local, documentId);
      expect(await byWords(index, 'balloon crew')).toEqual([]);
      expect((await index.state('local')).passages).toBe(0);
    });

    test('changed readers of a document', async () => {
      const { documentId } = await put('a.txt', 'Granite.');
      const index = open();
      const group = { principals: ['group:masons'] };
      expect(await byWords(index, 'granite')).toEqual(['Granite.']);
      await amend(documentId, { readers: ['group:masons'] });
      expect(await byWords(index, 'granite')).toEqual([]);
      expect(await byWords(index, 'granite', group)).toEqual(['Granite.']);
      await amend(documentId, { readers: ['everyone'] });
      expect(await byWords(index, 'granite')).toEqual(['Granite.']);
      expect(await byWords(index, 'granite', group)).toEqual([]);
    });

    test('vectors that were made since', async () => {
      const index = open(modelOf(toyModel));
      await put('a.txt', 'The hound barks.');
      expect(await byMeaning(index, 'dog', toyModel)).toEqual([]);
      await embed(toyModel);
      await untilPasses('the vectors are found', async () =>
        expect(await byMeaning(index, 'dog', toyModel)).toEqual(['The hound barks.']),
      );
      await put('b.txt', 'A dog sleeps.');
      expect(await byMeaning(index, 'dog', toyModel)).toEqual(['The hound barks.']);
      await embed(toyModel);
      expect(await byMeaning(index, 'dog', toyModel)).toHaveLength(2);
      expect(await index.state('local')).toMatchObject({ passages: 2, vectors: 2 });
    });
  });

  test('exchanges its vectors for those of another model, and finds by words meanwhile', async () => {
    await put('a.txt', 'The hound barks.\n\nThe automobile is parked.');
    await put('a.txt', 'The hound barks.\n\nThe automobile is parked.', {}, { tenant: 'other', subject: 'local' });
    await embed(toyModel);
    expect(await byMeaning(open(modelOf(toyModel)), 'car', toyModel)).toHaveLength(2);
    await embed(otherModel);
    let model = '';
    const index = open(async () => model);
    expect(await byWords(index, 'barks')).toEqual(['The hound barks.']);
    model = otherModel.name;
    await untilPasses('the answers are right', async () => {
      expect(await byWords(index, 'barks')).toEqual(['The hound barks.']);
      expect(await byMeaning(index, 'car', otherModel)).toEqual(['The automobile is parked.', 'The hound barks.']);
    });
    expect(await index.state('local')).toMatchObject({ passages: 2, vectors: 2 });
    // While the model is away its vectors stay.
    model = '';
    expect(await byWords(index, 'barks')).toEqual(['The hound barks.']);
    expect(await index.state('local')).toMatchObject({ passages: 2, vectors: 2 });
  });

  test('a model that returns vectors of another length under the same name does not stop searches by words', async () => {
    const index = open(modelOf(toyModel));
    await put('a.txt', 'The hound barks.');
    await embed(toyModel);
    await untilPasses('the vectors are found', async () =>
      expect(await byMeaning(index, 'dog', toyModel)).toHaveLength(1),
    );
    // As long as a code of many words, so that it does not fit where a short one stood.
    const longer = { ...toyModel, axes: Array.from({ length: 300 }, (_, i) => i % 4) };
    await put('b.txt', 'A dog sleeps.');
    await embed(longer);
    for (const by of [toyModel, longer, toyModel]) {
      const query = { text: 'sleeps', vector: toyVector(by, 'dog') };
      expect(await textsOf((await index.find(local, everyone, query, 10)).lexical)).toEqual(['A dog sleeps.']);
    }
    expect(await byMeaning(index, 'dog', toyModel)).toEqual(['The hound barks.']);
  });

  test('several processes in one place index every passage once', async () => {
    const indexes = Array.from({ length: 3 }, () => open());
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        await put(`crowd-${i}.txt`, `# Crowd\n\nCrowd number${i}.\n\nSecond crowd.`);
        const seen = await Promise.all(indexes.map((index) => byWords(index, `number${i}`)));
        for (const texts of seen) expect(texts).toEqual([`Crowd number${i}.`]);
      }),
    );
    for (const index of indexes) expect((await index.state('local')).passages).toBe(24);
  });

  test('a lost index is built again, by a process that had it open and by a new one', async () => {
    await put('a.txt', 'Granite lasts.');
    const before = open();
    expect(await byWords(before, 'granite')).toEqual(['Granite lasts.']);
    await wipe();
    expect(await byWords(before, 'granite')).toEqual(['Granite lasts.']);
    await wipe();
    expect(await byWords(open(), 'granite')).toEqual(['Granite lasts.']);
    expect((await before.state('local')).passages).toBe(1);
  });

  test('when a process ends during its work, the next one does the rest', async () => {
    for (let i = 0; i < 20; i++) await put(`stone-${i}.txt`, `Granite${i} lasts.`);
    const first = openUnmanaged();
    const cut = byWords(first, 'lasts').catch(() => []);
    await first.close();
    await cut;
    const second = open();
    expect(await byWords(second, 'granite19')).toEqual(['Granite19 lasts.']);
    expect((await second.state('local')).passages).toBe(20);
  });

  test('after the tables are emptied and filled again, no old passage is found', async () => {
    await put('old.txt', 'Obsidian from before.');
    const index = open();
    expect(await byWords(index, 'obsidian')).toHaveLength(1);
    await postgres().pool.query('truncate documents, chunks, document_changes restart identity cascade');
    for (let i = 0; i < 5; i++) await put(`new-${i}.txt`, `Quartz ${i}.`);
    expect(await byWords(index, 'obsidian')).toEqual([]);
    expect(await byWords(open(), 'quartz')).toHaveLength(5);
    expect((await index.state('local')).passages).toBe(5);
  });
});
