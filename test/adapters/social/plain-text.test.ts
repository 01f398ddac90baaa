import { expect, test } from '@jest/globals';
import { plainText } from '../../../adapters/social/plain-text.ts';

test.each([
  ['<p>One</p><p>Two<br>three</p>', 'One Two three'],
  ['a<b>b</b>c &amp; d &eacute; &#x1F600; &lt;p&gt; &amp;lt;', 'abc & d é 😀 <p> &lt;'],
  ['1 < 2 and 3 <4 > 2 </ x>', '1 < 2 and 3 <4 > 2'],
  ['<a title="a > b" href=\'x>y\' data-x = ">">link</a> <i title=it\'s>own</i>', 'link own'],
  ['x<script>if (a < b) "</p>"; <p></SCRIPT >y<style>p {}</style>z', 'xyz'],
  ['x<svg/>y<svg><text>no</text></svg>z<script src="a"/>no</script>!', 'xyz!'],
  ['a<!-- <p>no</p> -->b<!doctype html>c<?php echo 1 ?>d<!-->e', 'abcde'],
  ['open<script>never ends', 'open'],
  ['open <a href="never ends>', 'open'],
  ['open <!-- never ends', 'open'],
  ['no markup\n at  all', 'no markup at all'],
  ['&zzz; & &', '&zzz; & &'],
])('%s reads %s', (html, text) => {
  expect(plainText(html)).toBe(text);
});

test.each([
  [
    'formatting that is never closed',
    `<p>${Array.from({ length: 400 }, (_, n) => `<b a${n}>`).join('')}${'<p>x'.repeat(1_500)}`,
    Array(1_500).fill('x').join(' '),
  ],
  ['deep nesting', `${'<div>'.repeat(9_000)}deep`, 'deep'],
  ['many attributes', `<p ${Array.from({ length: 9_000 }, (_, n) => `a${n}`).join(' ')}>x`.slice(0, 49_000), ''],
  ['quotes that are never closed', '<a b="'.repeat(8_000), ''],
  ['comments and tags that are never closed', '<!--<a <script'.repeat(3_500), ''],
  ['scripts in each other', `${'<script></scrip'.repeat(3_000)}</script>x`, 'x'],
])('%s costs one pass over the text, and no tree', (_, html, text) => {
  expect(plainText(html)).toBe(text);
});

test('only the first 50,000 characters are read, and half a letter at the cut is left out', () => {
  expect(plainText(`<p>${'x'.repeat(49_996)}😀`)).toBe(`${'x'.repeat(49_996)}\uFFFD`);
});
