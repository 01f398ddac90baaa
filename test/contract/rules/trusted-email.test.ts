import { expect, test } from '@jest/globals';
import { trustedEmail } from '../../../contract/rules/trusted-email.ts';

const domains = ['example.com', 'example.org'];

test.each([
  ['ada@example.com', 'ada@example.com'],
  ['Ada.Lovelace+x@Example.ORG', 'ada.lovelace+x@example.org'],
])('%s counts as %s', (given, expected) => {
  expect(trustedEmail(given, domains)).toBe(expected);
});

test.each([
  ['another domain', 'ada@example.net'],
  ['a subdomain', 'ada@mail.example.com'],
  ['a domain that only ends so', 'ada@anexample.com'],
  ['two signs', 'ada@example.com@example.net'],
  ['two signs the other way', 'ada@example.net@example.com'],
  ['nothing before the sign', '@example.com'],
  ['spaces', ' ada@example.com'],
  ['a line break', 'ada@example.com\n'],
  // U+212A is `k` in lower case, and the address another one than that of mark.
  ['letters beyond ASCII', 'mar\u212a@example.com'],
  ['no text', ['ada@example.com']],
  ['nothing', undefined],
])('%s does not count', (_, given) => {
  expect(trustedEmail(given, domains)).toBeUndefined();
  expect(trustedEmail('ada@example.com', [])).toBeUndefined();
});
