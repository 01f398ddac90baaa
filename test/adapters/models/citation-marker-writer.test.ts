import { expect, test } from '@jest/globals';
import { CitationMarkerWriter } from '../../../adapters/models/citation-marker-writer.ts';

/** What is shown of blocks, each with the numbers of what it cites, when every block comes in pieces of so many characters. */
function shown(blocks: [text: string, ...numbers: number[]][], pieceLength: number) {
  const marked = new CitationMarkerWriter();
  const pieces: string[] = [];
  for (const [text, ...numbers] of blocks) {
    for (let at = 0; at < text.length; at += pieceLength) pieces.push(marked.append(text.slice(at, at + pieceLength)));
    marked.endBlock(numbers);
  }
  return [...pieces, marked.finish()].join('');
}

test.each<{ what: string; blocks: [string, ...number[]][]; is: string }>([
  { what: 'nothing', blocks: [], is: '' },
  { what: 'nothing cited', blocks: [['A [1, 2] b. \n\n'], [' [x]']], is: 'A [1, 2] b. \n\n [x]' },
  { what: 'at the end', blocks: [['Thirty days', 2]], is: 'Thirty days [2]' },
  {
    what: 'before what closes the sentence',
    blocks: [['Thirty days', 2], ['. Late ones not.']],
    is: 'Thirty days [2]. Late ones not.',
  },
  { what: 'two in one sentence', blocks: [['A', 1], [' and '], ['b', 2], ['.']], is: 'A [1] and b [2].' },
  { what: 'two for one block, told twice', blocks: [['A', 2, 1, 2], ['.']], is: 'A [2, 1].' },
  {
    what: 'before white space, not after it',
    blocks: [['A.\n\n', 1], ['- b', 2], ['\n- c']],
    is: 'A. [1]\n\n- b [2]\n- c',
  },
  { what: 'written by the model inside', blocks: [['A [1].', 1], [' B.']], is: 'A [1]. B.' },
  { what: 'written by the model behind', blocks: [['A', 1], [' [1]. B.']], is: 'A [1]. B.' },
  {
    what: 'written by the model behind, in part',
    blocks: [['A', 1, 3], [' [1] [2]'], ['. B.']],
    is: 'A [3] [1] [2]. B.',
  },
  {
    what: 'written by the model behind, before text that cites the same',
    blocks: [['A', 1], [' [1]. B', 1], ['. C.']],
    is: 'A [1]. B [1]. C.',
  },
  { what: 'written by the model at the very end', blocks: [['A', 1], [' [1]']], is: 'A [1]' },
  { what: 'something else in brackets', blocks: [['A', 1], [' [see below]']], is: 'A [1] [see below]' },
  { what: 'a block without text', blocks: [['A ', 1], ['', 2], ['b']], is: 'A [1, 2] b' },
  { what: 'nothing but a citation', blocks: [['', 4]], is: '[4]' },
])('$what', ({ blocks, is }) => {
  for (const pieceLength of [1, 2, 3, 100]) expect(shown(blocks, pieceLength)).toBe(is);
});

test('what needs no marker is not held back, but for white space at its end', () => {
  const marked = new CitationMarkerWriter();
  expect([marked.append('One '), marked.append('two'), marked.append(' [3'), marked.append(']')]).toEqual([
    'One',
    ' two',
    ' [3',
    ']',
  ]);
});
