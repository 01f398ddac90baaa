import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shortenOutput } from '../../../adapters/postgres/messages/shorten-output.ts';
import { readResultTool } from '../../../agents/tools/read-result.ts';
import { readResultToolBytes } from '../../../activities/context/context-size.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { outputText } from '../../../contract/rules/tool-output.ts';
import { local } from '../../support/documents/put-document.ts';
import { passage } from '../../support/documents/passage.ts';

type Slice = {
  text?: string;
  answer?: string;
  passages?: ReturnType<typeof passage>[];
  characters: number;
  nextStart: number | null;
};

const taskId = '01a2016d-a24b-75a4-a29e-b8b9392386bd';

/** Reads results of a task that has one stored result, that of `call-7`. */
const readerOf = (output: JsonValue) => {
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

test('a long result is read in slices, and each says where the next one begins', async () => {
  const read = readerOf('0123456789');
  expect(await read({ callId: 'call-7', maxCharacters: 4 })).toEqual({
    text: '0123',
    start: 0,
    characters: 10,
    nextStart: 4,
    summary: '4 of 10 characters read',
  });
  expect(await read({ callId: 'call-7', start: 8, maxCharacters: 4 })).toMatchObject({ text: '89', nextStart: null });
});

test('a result that is not text is read as JSON', async () => {
  const read = readerOf({ rows: [1, 2] });
  expect(await read({ callId: 'call-7' })).toMatchObject({ text: '{"rows":[1,2]}', nextStart: null });
});

test('passages are read as passages, and one that is read completely keeps its chunkId', async () => {
  const [a, b] = [passage('a', 'First.', 10), passage('b', 'Second.', 90)];
  const read = readerOf({ passages: [a, b] });
  expect(await read({ callId: 'call-7', maxCharacters: 9 })).toMatchObject({
    passages: [a, { chunkId: 'b.0-3', text: 'Sec', start: 90, end: 93 }],
    characters: 13,
    nextStart: 9,
  });
  expect((await read({ callId: 'call-7', start: 6 })).passages).toEqual([b]);
});

test('the slices of a result join to the whole, without broken characters, even when slices are shortened', async () => {
  const anyOutput = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2_000 }) as fc.Arbitrary<JsonValue>,
    fc
      .array(fc.string({ unit: 'grapheme', maxLength: 400 }), { minLength: 1, maxLength: 8 })
      .map((texts) => ({ passages: texts.map((text, i) => passage(`chunk-${i}`, text)) })),
    fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 2_000 }), fc.string({ unit: 'grapheme', minLength: 1 }))
      .map(([answer, text]) => ({ agent: 'left', answer, citedAs: { c: 1 }, passages: [passage('c', text)] })),
  );
  await fc.assert(
    fc.asyncProperty(anyOutput, fc.integer({ min: 1, max: 5_000 }), async (output, maxCharacters) => {
      const read = readerOf(output);
      const limit = maxCharacters % 2 === 0 ? 1_000 : 1_000_000;
      let [text, start]: [string, number | null] = ['', 0];
      while (start !== null) {
        const slice = shortenOutput(
          await read({ callId: 'call-7', start, maxCharacters }),
          'call-8',
          limit,
        ) as unknown as Slice;
        const sliceText =
          slice.text ?? (slice.answer ?? '') + (slice.passages?.map((part) => part.text).join('') ?? '');
        expect(sliceText.isWellFormed()).toBe(true);
        text += sliceText;
        expect(slice.nextStart ?? Infinity).toBeGreaterThan(start);
        start = slice.nextStart;
      }
      expect(text).toBe(outputText(output));
    }),
  );
});

test('the answer of an agent is read before its passages, and each part says which number means which passage', async () => {
  const [a, b] = [passage('a', 'First.'), passage('b', 'Second.')];
  const output = { agent: 'left', status: 'completed', answer: 'So [1].', citedAs: { a: 1, b: 2 }, passages: [a, b] };
  const read = readerOf(output);
  expect(await read({ callId: 'call-7', maxCharacters: 10 })).toMatchObject({
    agent: 'left',
    answer: 'So [1].',
    citedAs: { a: 1, b: 2 },
    passages: [{ chunkId: 'a.0-3', text: 'Fir' }],
    characters: 20,
    nextStart: 10,
  });
  expect(await read({ callId: 'call-7', start: 13 })).toMatchObject({ answer: '', passages: [b], nextStart: null });
});

test('errors tell the model what to do', async () => {
  const read = readerOf('short');
  await expect(read({ callId: 'call-8' })).rejects.toThrow('This task has no result of a call "call-8".');
  await expect(read({ callId: 'call-7' }, { ...local, tenant: 'other' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(read({ callId: 'call-7', start: 5 })).rejects.toThrow(
    'start is 5, and the result has 5 characters. Use a smaller start.',
  );
  await expect(read({})).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(read({ callId: 'call-7', maxCharacters: 1_000_000 })).rejects.toThrow('read_result was called wrongly');
});

test('a slice that is read again is read as its text, not as JSON', async () => {
  const read = readerOf({ text: 'a "quoted" word', start: 20, characters: 90, nextStart: 35 });
  expect(await read({ callId: 'call-7' })).toMatchObject({ text: 'a "quoted" word', characters: 15 });
});

test('an empty result is read as empty text', async () => {
  expect(await readerOf('')({ callId: 'call-7' })).toMatchObject({ text: '', characters: 0, nextStart: null });
});

test('the tool’s description fits the bytes reserved for it in a request', () => {
  const { name, description, inputSchema } = readResultTool({ findToolResult: () => Promise.resolve(undefined) });
  expect(JSON.stringify({ name, description, inputSchema }).length).toBeLessThanOrEqual(readResultToolBytes);
});
