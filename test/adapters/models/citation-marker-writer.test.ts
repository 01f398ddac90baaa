import { expect, test } from '@jest/globals';
import { CitationMarkerWriter } from '../../../adapters/models/citation-marker-writer.ts';

/** Writes blocks of text, each with the numbers of the passages it cites, in pieces of `pieceLength` characters. */
function write(blocks: [text: string, ...numbers: number[]][], pieceLength: number) {
  const writer = new CitationMarkerWriter();
  const pieces: string[] = [];
  for (const [text, ...numbers] of blocks) {
    for (let at = 0; at < text.length; at += pieceLength) pieces.push(writer.append(text.slice(at, at + pieceLength)));
    writer.endBlock(numbers);
  }
  return [...pieces, writer.finish()].join('');
}

test.each<{ what: string; blocks: [string, ...number[]][]; output: string }>([
  { what: 'nothing', blocks: [], output: '' },
  { what: 'nothing cited', blocks: [['A [1, 2] b. \n\n'], [' [x]']], output: 'A [1, 2] b. \n\n [x]' },
  { what: 'at the end', blocks: [['Thirty days', 2]], output: 'Thirty days [2]' },
  {
    what: 'before the end of the sentence',
    blocks: [['Thirty days', 2], ['. Late ones not.']],
    output: 'Thirty days [2]. Late ones not.',
  },
  { what: 'two in one sentence', blocks: [['A', 1], [' and '], ['b', 2], ['.']], output: 'A [1] and b [2].' },
  { what: 'two for one block, cited twice', blocks: [['A', 2, 1, 2], ['.']], output: 'A [2, 1].' },
  {
    what: 'before white space, not after it',
    blocks: [['A.\n\n', 1], ['- b', 2], ['\n- c']],
    output: 'A. [1]\n\n- b [2]\n- c',
  },
  { what: 'written by the model inside', blocks: [['A [1].', 1], [' B.']], output: 'A [1]. B.' },
  { what: 'written by the model behind', blocks: [['A', 1], [' [1]. B.']], output: 'A [1]. B.' },
  {
    what: 'written by the model behind, in part',
    blocks: [['A', 1, 3], [' [1] [2]'], ['. B.']],
    output: 'A [3] [1] [2]. B.',
  },
  {
    what: 'written by the model behind, before text that cites the same',
    blocks: [['A', 1], [' [1]. B', 1], ['. C.']],
    output: 'A [1]. B [1]. C.',
  },
  { what: 'written by the model at the very end', blocks: [['A', 1], [' [1]']], output: 'A [1]' },
  { what: 'something else in brackets', blocks: [['A', 1], [' [see below]']], output: 'A [1] [see below]' },
  { what: 'a block without text', blocks: [['A ', 1], ['', 2], ['b']], output: 'A [1, 2] b' },
  { what: 'only a citation', blocks: [['', 4]], output: '[4]' },
])('$what', ({ blocks, output }) => {
  for (const pieceLength of [1, 2, 3, 100]) expect(write(blocks, pieceLength)).toBe(output);
});

test('text that needs no marker is written at once, except trailing white space', () => {
  const writer = new CitationMarkerWriter();
  expect([writer.append('One '), writer.append('two'), writer.append(' [3'), writer.append(']')]).toEqual([
    'One',
    ' two',
    ' [3',
    ']',
  ]);
});
