import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { leastMs } from './least-ms.ts';
import { clip, clipText, escapeMrkdwn, mrkdwnLink, toMrkdwn } from '../../../slack/rendering/mrkdwn.ts';

describe('mrkdwn', () => {
  it('plain text shows as it is, and notifies no person', () => {
    expect(escapeMrkdwn('a < b & c > d')).toBe('a &lt; b &amp; c &gt; d');
    expect(escapeMrkdwn('<!here> <@U1> @channel')).toBe('&lt;\u2060!here&gt; &lt;\u2060@U1&gt; @\u2060channel');
  });

  it('a link needs an address of the web', () => {
    expect(mrkdwnLink('https://example.org/?a=1&b=2', 'A|B')).toBe('<https://example.org/?a=1&amp;b=2|A¦B>');
    expect(mrkdwnLink('javascript:alert(1)', 'A')).toBe('A');
    expect(mrkdwnLink('https://example.org/|<!here>', 'A')).toBe('A');
    expect(mrkdwnLink(undefined, '<A>')).toBe('&lt;A&gt;');
  });

  it.each([
    ['# A **bold** title', '*A bold title*'],
    ['Some **bold**, *italic*, __bold__ and ~~old~~.', 'Some *bold*, _italic_, *bold* and ~old~.'],
    ['- one\n  * two\n1. three', '• one\n  • two\n1. three'],
    ['> quoted', '>quoted'],
    ['See [the page](https://example.org/a_b) [1].', 'See <https://example.org/a_b|the page> [1].'],
    ['[here](javascript:x) <b>', '[here](javascript:x) &lt;b&gt;'],
    ['`a < **b**`', '`a &lt; **b**`'],
    ['```ts\nconst a = **b**;\n```', '```\nconst a = **b**;\n```'],
    ['```\nopen', '```\nopen\n```'],
    ['2 * 3 * 4 and a*b*c', '2 * 3 * 4 and a*b*c'],
    ['[a<!channel>](https://example.org)', '<https://example.org|a&lt;\u2060!channel&gt;>'],
  ])('%s', (markdown, mrkdwn) => expect(toMrkdwn(markdown)).toBe(mrkdwn));

  it('fits into the text of a message, in bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom('<', '&', '[a](https://example.org/x)', 'д', '👩‍👩‍👧‍👦', '**b**', '\n', '`'),
      fc.string({ unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 200 }), (pieces, times) => {
        const text = toMrkdwn(pieces.join('').repeat(times));
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3_900);
        expect(text.isWellFormed()).toBe(true);
        expect(text.replace(/<https:[^<>|]*\|[^<>]*>/g, '')).not.toMatch(/<|&(?!amp;|lt;|gt;)/);
      }),
      { numRuns: 200 },
    );
  });

  it('is cut neither in an entity nor in a link', () => {
    expect(clip('abcdefgh&lt;', 11)).toBe('abcdefgh…');
    expect(clip(`abc <https://example.org|${'x'.repeat(60)}>`, 60)).toBe('abc …');
    expect(Buffer.byteLength(clipText('д'.repeat(5_000)))).toBeLessThanOrEqual(3_900);
    expect(clipText('short')).toBe('short');
  });

  it.each(['`', '*a ', '**a', '[', '[a](', '<', '__a', '![[]()', '>', '[a](http://'])(
    'is fast with many %s',
    (text) => {
      expect(leastMs(() => toMrkdwn(text.repeat(30_000 / text.length)))).toBeLessThan(2_000);
    },
  );
});
