import { describe, expect, test } from '@jest/globals';
import { differentlyStemmed, stemsOf } from '../../../contract/rules/stems.ts';
import { passageTerms, queryWords, spellingsIn } from '../../../contract/rules/terms.ts';

const codesOf = (query: string, kind = 'code') =>
  queryWords(query, ['en']).flatMap((word) => (word.kind === kind ? [word.text] : []));
const wordsOf = (query: string) =>
  queryWords(query, ['en']).flatMap(({ kind, terms }) => (kind === 'word' ? terms : []));

describe('the codes of a query', () => {
  test.each([
    ['PPR-9087/PPR-9088', ['PPR-9087', 'PPR-9088']],
    ['PPR-9087-PPR-9090, A1-A5', ['PPR-9087', 'PPR-9090', 'A1', 'A5']],
    ['Ticket:PPR-9088 and JIRA:PPR-9089', ['PPR-9088', 'PPR-9089']],
    ['(PPR-9088), #PPR-9089!', ['PPR-9088', 'PPR-9089']],
    ['notes/PPR-9088.pdf', ['PPR-9088']],
    ['the PPR-9088-Meldung for B2B-Kunden', ['PPR-9088', 'B2B']],
    ['C++ C# .NET C#/.NET', ['C++', 'C#', '.NET']],
    ['DN-50/16 A4/B KX_204_B kx_205_b', ['DN-50/16', 'A4/B', 'KX_204_B', 'kx_205_b']],
    ['v2.10.1 2.10.1 192.168.1.10', ['v2.10.1', '2.10.1', '192.168.1.10']],
    ['ISO 13849-1, iso-13849-2, HR/2024/17', ['13849-1', 'iso-13849-2', 'HR/2024/17']],
    ['ppr-9087 dn-50 KX204 #4711', ['ppr-9087', 'dn-50', 'KX204', '#4711']],
  ])('“%s” are %j', (query, codes) => {
    expect(codesOf(query)).toEqual(codes);
  });

  test.each([
    'open from 9:00-17:00, 9am-5pm, 10:30am or 14h30',
    'the top-10 of level-2, 24/7, 1-on-1, sha-256',
    'costs 5/user, 12.50/hour, 19.99, 1.000.000, USD100, 5000-10000 or 50-60k',
    '2024-01-15, 15-Jan-2024, 01.01.2024-31.12.2024, 2024-Q1, 2024-01-15T10:30:00Z',
    '2024-01-01/2024-12-31 and 2020-2024',
    'mail to john.doe2@web1.example.com',
    'see https://web1.example.com/v2/en-us/page-3.html?id=a1b2 or www.s3.example.com/x1',
    'call 555-123-4567, 030/1234567, 0172-1234567 or +49-30-123456',
    '90days top10 #budget2024 Q3 FY2024 5GB 30-day report-2024.pdf Ticket:4711',
  ])('“%s” are none, so that nothing is said when no passage holds them', (query) => {
    expect(codesOf(query)).toEqual([]);
  });

  test('of an address may be codes, and its words are searched', () => {
    expect(codesOf('https://jira.example.com/browse/PPR-9088?x=1', 'possible code')).toEqual(['PPR-9088']);
    expect(codesOf('call 555-123-4567', 'possible code')).toEqual(['555-123-4567']);
    expect(wordsOf('mail to john.doe2@example.com')).toEqual(['mail', 'john', 'exampl', 'com']);
    expect(wordsOf('9:00-17:00')).toEqual(['9:00-17:00', '9', '00', '17']);
  });
});

test('a passage is found by each code that it writes together with something else', () => {
  const texts = {
    'PPR-9088': [
      'PPR-9087/PPR-9088',
      'Ticket:PPR-9088',
      '/srv/notes/2024/PPR-9088.pdf',
      'https://a.example/x/y/z/PPR-9088/b',
    ],
    'DN-50/16': ['Pipe:DN-50/16', 'DN-50/16-A'],
    'v2.10.1': ['release/v2.10.1', 'v2.10.1-rc1', 'alfred_v2.10.1.tar'],
    'v2.10': ['v2.10.1'],
  };
  for (const [code, passages] of Object.entries(texts))
    for (const passage of passages)
      expect([passage, passageTerms(passage, 'en').includes(code.toLowerCase())]).toEqual([passage, true]);
  expect(passageTerms('PPR-9087', 'en')).not.toContain('ppr-908');
});

test('of a query with more words than are searched, both ends count', () => {
  const many = Array.from(
    { length: 200 },
    (_, i) => `word${'abcdefghijklmnopqrst'[i % 20]}${'abcdefghij'[Math.floor(i / 20)]}x`,
  );
  const searched = queryWords(many.join(' '), ['en']).map(({ text }) => text);
  expect(searched).toHaveLength(64);
  expect(searched).toEqual([...many.slice(0, 32), ...many.slice(-32)]);
});

test('languages whose words are stemmed alike are stemmed once', () => {
  expect(differentlyStemmed(['en', null, 'zh', 'ja', 'el', 'pl', 'cs', 'sk', 'de', 'uk', 'be', 'sr'])).toEqual([
    null,
    'az',
    'de',
    'uk',
    'be',
  ]);
  for (const [word, language] of [
    ['running', 'en'],
    ['kočky', 'cs'],
    ['кошки', 'be'],
    ['休', 'zh'],
  ] as const)
    for (const like of differentlyStemmed([language])) expect(stemsOf(word, like)).toEqual(stemsOf(word, language));
});

test('words for misspelt ones have no digits and stand in no code', () => {
  expect([...spellingsIn('Överstunden in PPRA-9087, part-time, budget2024').values()]).toEqual([
    'överstunden',
    'part',
    'time',
  ]);
});
