import { expect, test } from '@jest/globals';
import { mentionsIn, plainTextOf } from '../../slack/asking/plain-text.ts';

test.each([
  ['<@B1> when is the party?', 'when is the party?'],
  ['Hello <@B1|alfred>, are you there?', 'Hello , are you there?'],
  ['a &lt; b &amp;&amp; c &gt; d', 'a < b && c > d'],
  ['&amp;lt; stays', '&lt; stays'],
  ['see <https://example.com/a?b=1&amp;c=2>', 'see https://example.com/a?b=1&c=2'],
  ['see <https://example.com|the page>', 'see the page (https://example.com)'],
  ['<mailto:a@b.c|a@b.c> and <http://b.c|b.c>', 'a@b.c and http://b.c'],
  ['<@U2> in <#C1|general>, <!here> and <!subteam^S1|@team>', '@U2 in #general, @here and @team'],
  ['one\ntwo   three', 'one\ntwo three'],
  ['<@B1>', ''],
])('%j is read as %j', (written, read) => {
  expect(plainTextOf(written, 'B1')).toBe(read);
});

test('the people that a message names', () => {
  expect(mentionsIn('<@U1> and <@U2|anna> and &lt;@U3&gt;')).toEqual(['U1', 'U2']);
});
