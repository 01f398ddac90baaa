import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type Client } from '@libsql/client';
import { queryWords } from '../../../contract/rules/terms.ts';
import { applyChanges } from '../../../knowledge/search/embedded/apply-changes.ts';
import { editDistance } from '../../../contract/rules/edit-distance.ts';
import { correctWords } from '../../../knowledge/search/embedded/correct-words.ts';
import { countWords, searchLexical } from '../../../knowledge/search/embedded/search-lexical.ts';
import { emptyFileCache } from '../../../knowledge/search/embedded/file-cache.ts';
import { textOf } from '../../../knowledge/search/embedded/file-state.ts';
import { schemaStatements } from '../../../knowledge/search/embedded/schema.ts';

let client: Client;
beforeAll(async () => {
  client = createClient({ url: ':memory:' });
  await client.batch(schemaStatements, 'write');
});
afterAll(() => client.close());

/** Inserts passages; `wordsOf` is SQL that gives the text of passage number n. */
async function fill(count: number, wordsOf: string) {
  await client.batch(
    [
      'delete from passages',
      `insert into words (words) values ('delete-all')`,
      `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${count})
        insert into passages (id, chunk_id, document, class, updated) select n, 'c' || n, 1, 1, 0 from numbers`,
      `insert into words (rowid, title, headings, body) select id, '', '', ${wordsOf} from (select id, id as n from passages)`,
    ],
    'write',
  );
}

const search = async (words: string[], depth: number) => {
  const counted = await countWords(client, emptyFileCache(), queryWords(words.join(' '), ['en']));
  return searchLexical(client, counted, { depth, filter: undefined });
};
const ids = (hits: { chunkId: string }[]) => hits.map(({ chunkId }) => chunkId);

test('for two words that most passages contain, passages with both come first', async () => {
  await fill(8_000, `iif(n % 100 = 0, 'budget travel', iif(n % 2 = 0, 'budget budget', 'travel travel'))`);

  const hits = await search(['budget', 'travel'], 80);

  expect(hits).toHaveLength(80);
  expect(ids(hits).every((id) => Number(id.slice(1)) % 100 === 0)).toBe(true);
});

test('when too few passages contain both words, passages with one follow', async () => {
  await fill(8_000, `iif(n = 5, 'budget travel', iif(n % 2 = 0, 'budget', 'travel'))`);

  const hits = await search(['budget', 'travel'], 10);

  expect(hits).toHaveLength(10);
  expect(hits[0]?.chunkId).toBe('c5');
});

test('a frequent word does not change a list that rarer words rank', async () => {
  await fill(8_000, `iif(n <= 3, 'visa budget', iif(n <= 6, 'visa permit', 'budget'))`);

  expect(ids(await search(['visa', 'permit', 'budget'], 10)).sort()).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6']);
});

test('words that no passage contains find nothing', async () => {
  await fill(3, `'budget'`);

  expect(await search(['visa', 'permit'], 10)).toEqual([]);
  expect(await search([], 10)).toEqual([]);
});

describe('a word that no passage holds', () => {
  const texts = [
    'recommended password length',
    'vacation policy for interns',
    'reimbursement of receipts',
    'the form is from finance, with cars',
    'Überstunden and Kündigungsfrist',
    'paternity leave on the bench, in the hotel',
    'order PPRA and ticket KX204',
  ];
  let chunks = 0;
  const apply = async (passages: string[], documentId = 'd') => {
    const { rows } = await client.execute('select source, applied from state');
    const document = { title: '', collection: 'c', readers: ['everyone'], tags: [], updatedMs: 0, language: 'en' };
    const indexed = passages.map((body) => ({
      chunkId: `${documentId}.${++chunks}`,
      documentId,
      title: '',
      headings: '',
      body,
      vector: undefined,
    }));
    const from = { source: textOf(rows[0]?.source), applied: Number(rows[0]?.applied), anchor: null };
    await applyChanges(client, from, {
      to: { ...from, applied: from.applied + 1 },
      model: '',
      documentIds: [documentId],
      documents: passages.length > 0 ? [{ ...document, documentId, passages: indexed }] : [],
    });
  };
  const empty = () =>
    client.batch([
      ...['spellings', 'passages', 'documents'].map((table) => `delete from ${table}`),
      ...['words', 'spelled'].map((table) => `insert into ${table} (${table}) values ('delete-all')`),
    ]);
  const correct = async (query: string, { classes = '', languages = ['en'], passages = texts } = {}) => {
    await empty();
    await apply(passages);
    const { rows } = await client.execute('select max(id) as id from classes');
    const cache = emptyFileCache();
    const filter = { classes: classes || `[${Number(rows[0]?.id)}]`, from: 0, to: 1 };
    const counted = await countWords(client, cache, queryWords(query, languages));
    const deps = { client, cache, languages, selection: { depth: 10, filter } };
    const { corrections } = await correctWords(deps, query, counted);
    return corrections.map(({ from, to }) => `${from} > ${to}`);
  };

  test.each([
    ['recomended pasword lenght', ['recomended > recommended', 'pasword > password', 'lenght > length']],
    ['vacatoin', ['vacatoin > vacation']],
    ['reimbursemnet', ['reimbursemnet > reimbursement']],
    ['avcation', ['avcation > vacation']],
    ['Uberstudnen', ['Uberstudnen > überstunden']],
    ['frm', []],
    ['the cats', []],
    ['beach', []],
    ['hotle', ['hotle > hotel']],
    ['carss', ['carss > cars']],
    ['maternity', []],
    ['what is PPRB KX205 KX-204', []],
    ['rexomendde', []],
    ['Wie ist die Receipte', []],
    ['password', []],
  ])('of “%s” is matched to %j', async (query, corrections) => {
    expect(await correct(query)).toEqual(corrections);
  });

  test('is not matched to a word of passages that the caller may not read', async () => {
    expect(await correct('pasword', { classes: '[]' })).toEqual([]);
  });

  test('is matched to the nearest word that most passages hold, however many are as near', async () => {
    const others = 'abcdefghijkl'.split('').map((letter) => `planti${letter}g`);
    expect(await correct('plantig', { passages: [others.join(' '), 'planting', 'planting trees'] })).toEqual([
      'plantig > planting',
    ]);
  });

  test('is not matched to words of passages that are gone, and those leave the list', async () => {
    const words = (from: number) => Array.from({ length: 60 }, (_, i) => `gone${letters(from + i)}`).join(' ');
    expect(await correct('pasword')).toEqual(['pasword > password']);
    for (let round = 0; round < 20; round++) await apply([`keyword ${words(round * 60)}`]);
    const list = await client.execute('select word from spellings');
    const left = list.rows.map(({ word }) => textOf(word));
    expect(left).toContain('keyword');
    expect(left).not.toContain('password');
    expect(left.length).toBeLessThan(250);
    expect(left.filter((word) => words(19 * 60).includes(word))).toHaveLength(60);
  });
});

const letters = (n: number) =>
  String.fromCharCode(97 + Math.floor(n / 400), 97 + (Math.floor(n / 20) % 20), 97 + (n % 20));

test.each([
  ['lenght', 'length', 1],
  ['abcd', 'abcd', 0],
  ['abcd', 'bacd', 1],
  ['abcd', 'badc', 2],
  ['abcd', 'abd', 1],
  ['abcd', 'abxcd', 1],
  ['abcdefgh', 'hgfedcba', 3],
  ['', 'abc', 3],
])('between “%s” and “%s” lie %i mistakes, counted up to two', (a, b, mistakes) => {
  expect(editDistance(a, b, 2)).toBe(mistakes);
});
