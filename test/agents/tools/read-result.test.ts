import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { referenceTo } from '../../../adapters/postgres/messages/tool-result.ts';
import { readResultTool } from '../../../agents/tools/read-result.ts';
import { readMoreBytes } from '../../../activities/context/context-size.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { outputText } from '../../../contract/rules/tool-output.ts';
import { local } from '../../support/documents/put-document.ts';
import { passage } from '../../support/documents/passage.ts';

type Slice = { text?: string; passages?: ReturnType<typeof passage>[]; characters: number; nextStart: number | null };

const taskId = '01a2016d-a24b-75a4-a29e-b8b9392386bd';

/** A task with the result of one call, `call-7`. */
const taskWith = (output: JsonValue) => {
  const tool = readResultTool({
    findToolResult: (scope, task, callId) =>
      Promise.resolve(
        scope.tenant === 'local' && task === taskId && callId === 'call-7' ? JSON.stringify(output) : undefined,
      ),
  });
  return async (input: JsonValue, scope = local) => {
    const signal = AbortSignal.timeout(10_000);
    const beforeSend = async () => {};
    const { output: slice, summary } = await tool.run(input, { scope, taskId, receiptKey: 'k', signal, beforeSend });
    return { ...(slice as unknown as Slice), summary };
  };
};

test('a long result is read in slices, each of which says where the next one begins', async () => {
  const read = taskWith('0123456789');
  expect(await read({ callId: 'call-7', maxCharacters: 4 })).toEqual({
    text: '0123',
    start: 0,
    characters: 10,
    nextStart: 4,
    summary: '4 of 10 characters read',
  });
  expect(await read({ callId: 'call-7', start: 8, maxCharacters: 4 })).toMatchObject({ text: '89', nextStart: null });
});

test('a result that is no text is read as JSON', async () => {
  const read = taskWith({ rows: [1, 2] });
  expect(await read({ callId: 'call-7' })).toMatchObject({ text: '{"rows":[1,2]}', nextStart: null });
});

test('passages are read as passages, and one that was read whole keeps its name', async () => {
  const [a, b] = [passage('a', 'First.', 10), passage('b', 'Second.', 90)];
  const read = taskWith({ passages: [a, b] });
  expect(await read({ callId: 'call-7', maxCharacters: 9 })).toMatchObject({
    passages: [a, { chunkId: 'b.0-3', text: 'Sec', start: 90, end: 93 }],
    characters: 13,
    nextStart: 9,
  });
  expect((await read({ callId: 'call-7', start: 6 })).passages).toEqual([b]);
});

test('slice after slice, all of a result is read, also where a slice is too long, and no character is cut in two', async () => {
  const anyOutput = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2_000 }) as fc.Arbitrary<JsonValue>,
    fc
      .array(fc.string({ unit: 'grapheme', maxLength: 400 }), { minLength: 1, maxLength: 8 })
      .map((texts) => ({ passages: texts.map((text, i) => passage(`chunk-${i}`, text)) })),
  );
  await fc.assert(
    fc.asyncProperty(anyOutput, fc.integer({ min: 1, max: 5_000 }), async (output, maxCharacters) => {
      const read = taskWith(output);
      const limit = maxCharacters % 2 === 0 ? 1_000 : 1_000_000;
      let [text, start]: [string, number | null] = ['', 0];
      while (start !== null) {
        const slice = referenceTo(
          await read({ callId: 'call-7', start, maxCharacters }),
          'call-8',
          limit,
        ) as unknown as Slice;
        const part = slice.text ?? slice.passages?.map((one) => one.text).join('') ?? '';
        expect(part.isWellFormed()).toBe(true);
        text += part;
        expect(slice.nextStart ?? Infinity).toBeGreaterThan(start);
        start = slice.nextStart;
      }
      expect(text).toBe(outputText(output));
    }),
  );
});

test('what cannot be read is told in a way that the model can act on', async () => {
  const read = taskWith('short');
  await expect(read({ callId: 'call-8' })).rejects.toThrow('This task has no result of a call "call-8".');
  await expect(read({ callId: 'call-7' }, { ...local, tenant: 'other' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(read({ callId: 'call-7', start: 5 })).rejects.toThrow(
    'start is 5, and the result has 5 characters. Use a smaller start.',
  );
  await expect(read({})).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(read({ callId: 'call-7', maxCharacters: 1_000_000 })).rejects.toThrow('read_result was called wrongly');
});

test('what was read in a slice is read again as its text, not as JSON', async () => {
  const read = taskWith({ text: 'a "quoted" word', start: 20, characters: 90, nextStart: 35 });
  expect(await read({ callId: 'call-7' })).toMatchObject({ text: 'a "quoted" word', characters: 15 });
});

test('an empty result is read as nothing', async () => {
  expect(await taskWith('')({ callId: 'call-7' })).toMatchObject({ text: '', characters: 0, nextStart: null });
});

test('what the tool takes of a request is within what is set aside for it', () => {
  const { name, description, inputSchema } = readResultTool({ findToolResult: () => Promise.resolve(undefined) });
  expect(JSON.stringify({ name, description, inputSchema }).length).toBeLessThanOrEqual(readMoreBytes);
});
