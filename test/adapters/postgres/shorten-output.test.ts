import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shortenOutput } from '../../../adapters/postgres/messages/shorten-output.ts';
import { citationsOf, numberPassages } from '../../../activities/context/citations.ts';
import { hasOmissions } from '../../../activities/context/context-size.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { outputText } from '../../../contract/rules/tool-output.ts';
import { passage } from '../../support/documents/passage.ts';

type Shortened = { head?: string; characters?: number; readMore: string; omittedPassages?: number };
type ShortenedPassages = Shortened & { passages: ReturnType<typeof passage>[] };

const shortened = (output: JsonValue, maxCharacters: number) =>
  shortenOutput(output, 'call-7', maxCharacters) as unknown as ShortenedPassages;
const startIn = (readMore: string) => Number(/start (\d+)/.exec(readMore)?.[1]);

test('an output that fits is returned as it is', () => {
  const output = { rows: [1, 2, 3] };
  expect(shortenOutput(output, 'call-7', JSON.stringify(output).length)).toBe(output);
});

test('a longer output becomes its beginning, its length, and where to read on', () => {
  const text = 'line\n'.repeat(10_000);
  const { head = '', characters, readMore } = shortened(text, 2_000);
  expect(text.startsWith(head)).toBe(true);
  expect(head.length).toBeGreaterThan(1_000);
  expect(characters).toBe(50_000);
  expect(readMore).toBe(`This is not all. To read on call read_result with callId "call-7" and start ${head.length}.`);
});

test('passages stay whole: as many as fit, and the number of omitted ones', () => {
  const passages = Array.from({ length: 10 }, (_, i) => passage(`chunk-${i}`, `${i} `.repeat(200)));
  const found = shortened({ passages }, 3_000);
  expect(found.passages.length).toBeGreaterThan(1);
  expect(found.passages).toEqual(passages.slice(0, found.passages.length));
  expect(found.omittedPassages).toBe(10 - found.passages.length);
  expect(startIn(found.readMore)).toBe(400 * found.passages.length);
});

test('a passage that is too long by itself is cut, and its beginning can be cited', () => {
  const text = `${'Trains are first class. '.repeat(20)}${'x'.repeat(20_000)}`;
  const found = shortened({ passages: [passage('chunk', text, 700)], nextStart: null }, 4_000);
  const [part] = found.passages;
  expect(part?.text).toBe(text.slice(0, part?.text.length));
  expect(part).toMatchObject({ start: 700, end: 700 + (part?.text.length ?? 0) });
  expect(startIn(found.readMore)).toBe(part?.text.length);
  const messages = numberPassages([
    {
      role: 'tool',
      results: [{ callId: 'call-7', tool: 'read_document', output: found, isError: false }],
    },
  ]);
  expect(citationsOf('Trains are first class [1].', messages)[0]?.quote).toBe('Trains are first class.');
});

test('a slice that is too long becomes a shorter slice, and the same tool reads on where it ends', () => {
  const text = 'abc'.repeat(1_000);
  const slice = { text, start: 500, characters: 90_000, nextStart: 3_500 };
  const shorter = shortenOutput(slice, 'call-7', 1_000) as typeof slice;
  expect(text.startsWith(shorter.text)).toBe(true);
  expect(shorter.text.length).toBeGreaterThan(800);
  expect(shorter).toEqual({ ...slice, text: shorter.text, nextStart: 500 + shorter.text.length });

  const document = { passages: [passage('chunk', text, 500)], start: 500, characters: 3_500, nextStart: null };
  const part = shortenOutput(document, 'call-7', 2_000) as unknown as typeof document;
  expect(part.passages[0]?.end).toBeGreaterThan(1_500);
  expect(part.nextStart).toBe(part.passages[0]?.end);
});

test('the data of an answer is left out before its answer is cut', () => {
  const answered = { answer: 'x'.repeat(600), citedAs: { chunk: 1 }, passages: [passage('chunk', 'short')] };
  const data = { rows: 'y'.repeat(2_000) };
  const whole = shortenOutput({ ...answered, data }, 'call-7', 2_000);
  expect(whole).toEqual({ ...answered, omittedData: JSON.stringify(data).length });
  const cut = shortenOutput({ ...answered, data }, 'call-7', 700) as typeof answered;
  expect(cut.answer.length).toBeGreaterThan(300);
  expect(cut).not.toHaveProperty('data');

  const plain = shortenOutput({ answer: 'All.', data }, 'call-7', 700);
  expect(plain).toMatchObject({ answer: 'All.', omittedData: 2_011, readMore: expect.stringContaining('call-7') });
});

test('an output with passages and much else is shortened as a whole, so that all of it stays readable', () => {
  const output = { passages: [passage('chunk', 'short')], log: 'x'.repeat(5_000) };
  expect(shortened(output, 1_000)).toMatchObject({ characters: JSON.stringify(output).length });
});

test('any shortened output fits, says that there is more, and begins like the output', () => {
  const anyPassages = fc
    .array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 3_000 }), fc.nat()), { minLength: 1, maxLength: 12 })
    .map((all) => ({ passages: all.map(([text, start], i) => passage(`chunk-${i}`, text, start)) }));
  const anyOutput = fc.oneof(
    anyPassages,
    fc.string({ unit: 'binary', minLength: 500, maxLength: 5_000 }) as fc.Arbitrary<JsonValue>,
    fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>,
  );
  fc.assert(
    fc.property(anyOutput, fc.integer({ min: 400, max: 4_000 }), (output, maxCharacters) => {
      const reference = shortened(output, maxCharacters);
      expect(JSON.stringify(reference).length).toBeLessThanOrEqual(maxCharacters);
      if (reference === (output as unknown)) return;
      expect(
        hasOmissions([{ role: 'tool', results: [{ callId: 'c', tool: 't', output: reference, isError: false }] }]),
      ).toBe(true);
      const text = outputText(output);
      const shown = reference.head ?? reference.passages.map((part) => part.text).join('');
      expect(text.startsWith(shown)).toBe(true);
      expect(startIn(reference.readMore)).toBe(shown.length);
    }),
  );
});
