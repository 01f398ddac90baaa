import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient, type Client } from '@libsql/client';
import { countTerms, searchLexical } from '../../../knowledge/search/embedded/search-lexical.ts';
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
  const cache = emptyFileCache();
  const terms = words.map((word) => `"${word}"`);
  const counts = await countTerms(client, cache, terms);
  const query = { filter: { principals: ['everyone'] }, terms, vector: undefined, depth };
  return searchLexical(client, { cache, allowed: new Set([1]), counts }, query);
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
