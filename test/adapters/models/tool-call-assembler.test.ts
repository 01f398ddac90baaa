import { expect, test } from '@jest/globals';
import { ToolCallAssembler } from '../../../adapters/models/tool-call-assembler.ts';

type Piece = Parameters<ToolCallAssembler['add']>[0];

function assembled(...pieces: Piece[]) {
  const assembler = new ToolCallAssembler();
  for (const piece of pieces) assembler.add(piece);
  return assembler.calls.map((call) => [call.id, call.tool, call.arguments]);
}

test('pieces are assigned by index, even when calls are interleaved', () => {
  expect(
    assembled(
      { index: 0, id: 'a', function: { name: 'look', arguments: '' } },
      { index: 1, id: 'b', function: { name: 'look', arguments: '{"y"' } },
      { index: 0, function: { arguments: '{"x":1}' } },
      { index: 1, function: { arguments: ':2}' } },
    ),
  ).toEqual([
    ['a', 'look', '{"x":1}'],
    ['b', 'look', '{"y":2}'],
  ]);
});

test('a new id in every piece still makes one call', () => {
  expect(
    assembled(
      { index: 0, id: 'a1', function: { name: 'look', arguments: '' } },
      { index: 0, id: 'a2', function: { arguments: '{"x"' } },
      { index: 0, id: 'a3', function: { arguments: ':1}' } },
    ),
  ).toEqual([['a1', 'look', '{"x":1}']]);
});

test('id and name repeated in every piece still make one call', () => {
  expect(
    assembled(
      { index: 0, id: 'a', function: { name: 'look', arguments: '{"x"' } },
      { index: 0, id: 'a', function: { name: 'look', arguments: ':1}' } },
    ),
  ).toEqual([['a', 'look', '{"x":1}']]);
});

test('calls that all have index 0 stay separate', () => {
  expect(
    assembled(
      { index: 0, id: 'a', function: { name: 'look', arguments: '{}' } },
      { index: 0, id: 'b', function: { name: 'look', arguments: '{"z":1}' } },
    ),
  ).toEqual([
    ['a', 'look', '{}'],
    ['b', 'look', '{"z":1}'],
  ]);
});

test('without an index, pieces are assigned by id', () => {
  expect(
    assembled(
      { id: 'a', function: { name: 'look', arguments: '{"x"' } },
      { id: 'b', function: { name: 'find', arguments: '{"y"' } },
      { id: 'a', function: { arguments: ':1}' } },
      { id: 'b', function: { arguments: ':2}' } },
    ),
  ).toEqual([
    ['a', 'look', '{"x":1}'],
    ['b', 'find', '{"y":2}'],
  ]);
});

test('arguments sent as an object become text', () => {
  expect(assembled({ index: 0, id: 'a', function: { name: 'look', arguments: { at: 1 } } })).toEqual([
    ['a', 'look', '{"at":1}'],
  ]);
});
