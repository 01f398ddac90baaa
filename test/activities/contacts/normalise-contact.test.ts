import { expect, test } from '@jest/globals';
import { findCountry } from '../../../activities/contacts/find-country.ts';
import { normaliseLine } from '../../../activities/contacts/normalise-contact.ts';
import { normaliseEmail } from '../../../activities/contacts/normalise-email.ts';
import { normaliseName } from '../../../activities/contacts/normalise-name.ts';
import { normalisePhone } from '../../../activities/contacts/normalise-phone.ts';

test.each([
  [' Ann.Lee@Example.COM ', 'ann.lee@example.com'],
  ['Ann Lee <ann@example.com>', 'ann@example.com'],
  ['mailto:ann@example.com', 'ann@example.com'],
  ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
  ['ann@', undefined],
  ['ann at example.com', undefined],
  ['a..b@example.com', undefined],
])('the e-mail address %j becomes %j', (text, expected) => expect(normaliseEmail(text)).toBe(expected));

test.each([
  ['030 901820', 'DE', '+4930901820'],
  ['0049 30 901820', null, '+4930901820'],
  ['+1 (213) 373-4253 ext. 12', null, '+12133734253;ext=12'],
  ['tel:+1-213-373-4253', null, '+12133734253'],
  ['030 901820', null, undefined],
  ['+49 30 1', 'DE', undefined],
  ['call me', 'DE', undefined],
])('the phone number %j of %s becomes %j', (text, country, expected) =>
  expect(normalisePhone(text, country)).toBe(expected),
);

test.each([
  ['Deutschland', 'DE'],
  ['germany', 'DE'],
  ['DEU', 'DE'],
  ['uk', 'GB'],
  ['U.S.A.', 'US'],
  ['Côte d’Ivoire', 'CI'],
  ['Scotland', 'GB'],
  ['Atlantis', undefined],
])('the country %j is %s', (text, expected) => expect(findCountry(text)).toBe(expected));

test.each([
  ['  ANN   LEE', 'Ann Lee'],
  ['ludwig van beethoven', 'Ludwig van Beethoven'],
  ["conan o'brien-smith", "Conan O'Brien-Smith"],
  ['Ronald McDonald', 'Ronald McDonald'],
  ['李安', '李安'],
])('the name %j becomes %j', (text, expected) => expect(normaliseName(text)).toBe(expected));

test('a line becomes a contact: columns that are not known are kept, formulas are plain again', () => {
  const fields = {
    Name: 'LEE, ANN',
    'E-Mail': 'Ann@Example.com; a.lee@example.com',
    Mobile: "'+49 30 901820",
    Land: 'Deutschland',
    Segment: ' retail ',
    alfred_reason: 'left out',
  };
  expect(normaliseLine({ line: 2, fields }, null)).toEqual({
    line: 2,
    body: {
      name: 'Ann Lee',
      firstName: 'Ann',
      lastName: 'Lee',
      emails: ['ann@example.com', 'a.lee@example.com'],
      phones: ['+4930901820'],
      company: null,
      title: null,
      country: 'DE',
      custom: { Segment: 'retail' },
    },
  });
});

test('a line is rejected with everything that is wrong with it, and kept as it came', () => {
  const fields = { name: 'Ann', email: 'ann@', phone: '12', country: 'Atlantis' };
  expect(normaliseLine({ line: 3, fields }, 'DE')).toEqual({
    line: 3,
    fields,
    reason:
      'country: "Atlantis" is no country that is known; email: "ann@" is no e-mail address; ' +
      'phone: "12" is no phone number of the country; write it with a country code, like +49 30 901820',
  });
  expect(normaliseLine({ line: 4, fields: { name: 'Ann' } }, null)).toMatchObject({
    reason: 'has neither an e-mail address nor a phone number',
  });
  expect(normaliseLine({ line: 5, fields: { email: 'a@example.com', note: 'x'.repeat(1_001) } }, null)).toMatchObject({
    reason: 'note: is longer than 1000 characters',
  });
});

test('a field whose name is very long rejects its line, because each contact would keep the name', () => {
  const fields = { email: 'a@example.com', ['c'.repeat(201)]: '1' };
  expect(normaliseLine({ line: 1, fields }, null)).toMatchObject({
    reason: `${'c'.repeat(60)}: its name is longer than 200 characters`,
  });
});
