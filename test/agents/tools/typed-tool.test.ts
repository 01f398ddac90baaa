import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { typedTool } from '../../../agents/tools/typed-tool.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { local } from '../../support/documents/put-document.ts';

const context = {
  scope: local,
  taskId: 'task',
  receiptKey: 'task/1/call-1',
  signal: AbortSignal.timeout(10_000),
  beforeSend: async () => {},
};
const book = typedTool({
  name: 'book',
  description: 'Books a table.',
  effect: 'write',
  repeatable: true,
  input: z.strictObject({ guests: z.int().min(1).default(2) }),
  check({ guests }) {
    if (guests > 8) throw new AlfredError('destination_refused', 'There is no table as large.');
  },
  run: async ({ guests }) => ({ output: { guests }, summary: `a table for ${guests}` }),
  reconcile: async ({ guests }) => ({ state: 'done', output: { guests }, summary: `found one for ${guests}` }),
  undo: async ({ guests }, output) => ({ summary: `${JSON.stringify(output)} for ${guests} given back` }),
});

test('every function of a tool gets the input parsed by its schema, with defaults', async () => {
  expect(book).toMatchObject({ name: 'book', effect: 'write', repeatable: true, inputSchema: { type: 'object' } });
  expect(await book.run({}, context)).toEqual({ output: { guests: 2 }, summary: 'a table for 2' });
  expect(await book.reconcile?.({}, context)).toMatchObject({ state: 'done', summary: 'found one for 2' });
  expect(await book.undo?.({}, { table: 7 }, context)).toEqual({ summary: '{"table":7} for 2 given back' });
});

test('check and run refuse an invalid input with the same message', async () => {
  const message = 'book was called wrongly. guests: Too small: expected number to be >=1.';
  expect(() => book.check?.({ guests: 0 })).toThrow(message);
  await expect(book.run({ guests: 0 }, context)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining(message),
  });
  expect(() => book.check?.({ guests: 9 })).toThrow('There is no table as large.');
  await expect(book.run({ guests: 9 }, context)).rejects.toMatchObject({ code: 'destination_refused' });
  expect(() => book.check?.({ guests: 8 })).not.toThrow();
});

test('optional properties that a definition omits are absent', () => {
  const plain = typedTool({
    name: 'look',
    description: 'Looks.',
    input: z.strictObject({}),
    run: async () => ({ output: {}, summary: 'looked' }),
  });
  expect(Object.keys(plain).sort()).toEqual(['check', 'description', 'inputSchema', 'name', 'run']);
});
