import { expect, test } from '@jest/globals';
import { returnPath } from '../../../contract/rules/return-path.ts';

test('a sign-in leads back to a path of ours, and to no other site', () => {
  for (const path of ['/', '/docs', '/tasks/1?tab=events#last', '/a/../b?x=//evil.example'])
    expect(returnPath(path)).toMatch(/^\/(?!\/)/);
  expect(returnPath('/tasks/1?tab=events#last')).toBe('/tasks/1?tab=events#last');
  const others = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/%0a/../..//evil.example',
    ' //evil.example',
    'javascript:alert(1)',
    '/../\\evil.example',
    '/\u2028/evil.example',
    'docs',
    '',
    `/${'a'.repeat(3_000)}`,
    undefined,
    ['/a', '/b'],
  ];
  for (const given of others) {
    const path = returnPath(given);
    expect([given, path, new URL(path, 'https://alfred.example.com').host]).toEqual([
      given,
      expect.stringMatching(/^\/(?!\/)/),
      'alfred.example.com',
    ]);
  }
});

test('a path of more than 500 characters is not kept, also when it gets so long by its encoding', () => {
  const path = (length: number) => `/${'a'.repeat(length - 1)}`;
  expect([returnPath(path(500)), returnPath(path(501))]).toEqual([path(500), '/']);
  expect(returnPath(`/${'"'.repeat(300)}`)).toBe('/');
});
