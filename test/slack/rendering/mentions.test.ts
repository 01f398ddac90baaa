import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { settledStart, withoutMentions } from '../../../slack/rendering/mentions.ts';

const visible = (text: string) => text.replaceAll('\u2060', '');

/** What Slack could take for a mention, after a Markdown parser resolved entities and backslashes. */
const resolved = (text: string) =>
  text
    .replace(/&lt;|&#60;|&#x3c;/gi, '<')
    .replace(/&commat;|&#64;|&#x40;/gi, '@')
    .replace(/\\([<@#!])/g, '$1');
const notifying =
  /<[@#]|<!(?:here|channel|everyone|group|subteam|date)\b|(?<![a-z0-9])@(?:here|channel|everyone)(?![a-z0-9_])/i;

const pieces = fc.constantFrom(
  '<',
  '&lt;',
  '&#60;',
  '@',
  '&#64;',
  '!',
  '#',
  '\\',
  'here',
  'channel',
  'Everyone',
  'subteam^S1',
  'U1',
  '>',
  ' ',
  'x',
  '`',
  '*',
  '.',
);

describe('mentions', () => {
  it.each([
    '<!here>',
    '<!channel|x>',
    '<@U012AB>',
    '<#C012AB>',
    '<!subteam^S1>',
    '<!date^1^x|y>',
    '@channel',
    'ask @here',
    '*@everyone*',
    '`@channel`',
    '&lt;!here&gt;',
    '<\\!here>',
  ])('%s notifies no person, and is read as before', (text) => {
    expect(withoutMentions(text)).not.toBe(text);
    expect(visible(withoutMentions(text))).toBe(text);
    expect(resolved(withoutMentions(text))).not.toMatch(notifying);
  });

  it.each([
    'a < b',
    '<!DOCTYPE html>',
    '<!-- note -->',
    'anna@example.org',
    'press@here.com',
    '@GetMapping',
    '@hereafter',
    '<https://example.org>',
    'R&D',
  ])('%s stays as it is', (text) => expect(withoutMentions(text)).toBe(text));

  it('holds for every text, and changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const safe = withoutMentions(text);
        expect(resolved(safe)).not.toMatch(notifying);
        expect(visible(safe)).toBe(text);
        expect(withoutMentions(safe)).toBe(safe);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps back what may become a mention', () => {
    expect(settledStart('Ask @cha')).toBe('Ask ');
    expect(settledStart('Ask @channel ')).toBe('Ask @channel ');
    expect(settledStart('a <!')).toBe('a ');
    expect(settledStart('half \ud83d')).toBe('half ');
  });
});
