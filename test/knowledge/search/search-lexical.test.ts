import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type Client } from '@libsql/client';
import { queryWords } from '../../../contract/rules/terms.ts';
import { applyChanges } from '../../../knowledge/search/embedded/apply-changes.ts';
import { editDistance } from '../../../knowledge/search/embedded/edit-distance.ts';
import { correctWords } from '../../../knowledge/search/embedded/correct-words.ts';
import { countWords, searchLexical } from '../../../knowledge/search/embedded/search-lexical.ts';
import { emptyFileCache } from '../../../knowledge/search/embedded/file-cache.ts';
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
    'the form is from finance',
    'Überstunden and Kündigungsfrist',
    'paternity leave',
    'order PPRA and ticket KX204',
  ];
  const correct = async (query: string, classes = '[1]', languages = ['en']) => {
    await client.batch([
      'delete from spellings',
      'delete from passages',
      `insert into words (words) values ('delete-all')`,
    ]);
    const position = { source: '', applied: 0, anchor: null };
    await client.execute(`update state set source = '', applied = 0`);
    const document = { documentId: 'd', title: '', collection: 'c', readers: ['everyone'], tags: [], updatedMs: 0 };
    const passages = texts.map((body, i) => ({
      chunkId: `d.${i}`,
      documentId: 'd',
      title: '',
      headings: '',
      body,
      vector: undefined,
    }));
    await client.execute('delete from documents');
    await applyChanges(client, position, {
      to: { source: 's', applied: 1, anchor: null },
      model: '',
      documentIds: ['d'],
      documents: [{ ...document, language: 'en', passages }],
    });
    const { rows } = await client.execute('select max(id) as id from classes');
    const cache = emptyFileCache();
    const selection = {
      depth: 10,
      filter: { classes: classes === '[1]' ? `[${Number(rows[0]?.id)}]` : classes, from: 0, to: 1 },
    };
    const counted = await countWords(client, cache, queryWords(query, languages));
    const { corrections } = await correctWords({ client, cache, languages, selection }, query, counted);
    return corrections.map(({ from, to }) => `${from} > ${to}`);
  };

  test.each([
    ['recomended pasword lenght', ['recomended > recommended', 'pasword > password', 'lenght > length']],
    ['vacatoin', ['vacatoin > vacation']],
    ['reimbursemnet', ['reimbursemnet > reimbursement']],
    ['avcation', ['avcation > vacation']],
    ['Uberstudnen', ['Uberstudnen > überstunden']],
    ['frm', []],
    ['maternity', []],
    ['what is PPRB KX205 KX-204', []],
    ['rexomendde', []],
    ['Wie ist die Receipte', []],
    ['password', []],
  ])('of “%s” is matched to %j', async (query, corrections) => {
    expect(await correct(query)).toEqual(corrections);
  });

  test('is not matched to a word of passages that the caller may not read', async () => {
    expect(await correct('pasword', '[]')).toEqual([]);
  });
});

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
