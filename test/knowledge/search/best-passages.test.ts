import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assembleDocument } from '../../../parsing/chunks/assemble-document.ts';
import { BestPassages, type Candidate } from '../../../knowledge/search/best-passages.ts';
import type { Chunking } from '../../../contract/chunking.ts';

/** A text of `count` sentences with different words, and its chunks as a search reads them. */
function candidatesOf(count: number, chunking: Chunking): { text: string; candidates: Candidate[] } {
  const sentences = Array.from(
    { length: count },
    (_, n) => `Rule${n} says that apple${n} and pear${n} meet berry${n}.`,
  );
  const { text, chunks } = assembleDocument(
    [{ kind: 'body', text: sentences.join(' '), tight: false, page: null }],
    'Rules',
    {
      chunking,
    },
  );
  const candidates = chunks.map((chunk, ordinal) => ({
    ...chunk,
    chunkId: `c${ordinal}`,
    documentId: 'd',
    document: 'rules.md',
    title: 'Rules',
    contentHash: 'h',
    version: 1,
    ordinal,
    language: null,
    gap: ordinal === 0 ? null : text.slice(chunks[ordinal - 1]?.end, chunk.start),
    score: 1,
    scores: { lexical: null, dense: null, sentence: null, rerank: null, fused: { rank: ordinal + 1, score: 1 } },
  }));
  return { text, candidates };
}

function chosenOf(candidates: (Candidate | undefined)[]) {
  const best = new BestPassages();
  for (const candidate of candidates) if (candidate) best.offer(candidate);
  return best.passages;
}

test('overlapping neighbours become one passage without repeated text, in any order', () => {
  const { text, candidates } = candidatesOf(20, { chunkTokens: 100, overlapTokens: 40 });
  const [a, b, c] = candidates;
  for (const order of [
    [a, b, c],
    [c, b, a],
    [b, c, a],
    [b, a, c],
    [a, c, b],
  ]) {
    const passages = chosenOf(order);
    const whole = passages.find(({ start }) => start === a?.start);
    expect(whole).toBeDefined();
    for (const passage of passages) expect(passage.text).toBe(text.slice(passage.start, passage.end));
    expect(passages.reduce((sum, passage) => sum + passage.text.length, 0)).toBeLessThanOrEqual(c?.end ?? 0);
  }
  expect(chosenOf([b, a])).toMatchObject([{ chunkId: 'c0+1', start: a?.start, end: b?.end }]);
});

test('a short last chunk that mostly repeats the one before is no duplicate', () => {
  const { text, candidates } = candidatesOf(13, { chunkTokens: 80, overlapTokens: 0 });
  const [before, after] = candidates;
  if (!before || !after) throw new Error('two chunks');
  // A long piece before a short one.
  const [start, end] = [text.indexOf('Rule2 '), text.indexOf(' Rule8 ')];
  const first = { ...before, end, text: text.slice(0, end) };
  const last = { ...after, start, end: text.indexOf(' Rule9 '), gap: '' };
  last.text = text.slice(last.start, last.end);
  expect((end - start) / last.text.length).toBeGreaterThan(0.8);
  for (const order of [
    [first, last],
    [last, first],
  ]) {
    const [passage, ...more] = chosenOf(order);
    expect([passage?.text, more]).toEqual([text.slice(0, last.end), []]);
  }
});

test('neighbours too long to merge are shown as parts without repeated text, each with its own id', () => {
  const { text, candidates } = candidatesOf(200, { chunkTokens: 900, overlapTokens: 300 });
  const [a, b] = candidates;
  const [first, second, ...more] = chosenOf([a, b]);
  expect([first?.chunkId, more]).toEqual(['c0', []]);
  expect(second?.start).toBeGreaterThanOrEqual(first?.end ?? Infinity);
  expect(second?.text).toBe(text.slice(second?.start, second?.end));
  expect(second?.chunkId).toBe(`c1.${second?.start}-${second?.end}`);
});

test('a chunk of another document with the same text is left out, and a chunk of another version is not merged', () => {
  const { candidates } = candidatesOf(20, { chunkTokens: 100, overlapTokens: 40 });
  const [a, b] = candidates;
  if (!a || !b) throw new Error('two chunks at least');
  expect(chosenOf([a, { ...a, documentId: 'copy' }])).toHaveLength(1);
  expect(chosenOf([a, { ...b, contentHash: 'older' }]).map(({ chunkId }) => chunkId)).toEqual(['c0', 'c1']);
});

test('in any order, the passages are slices of the text, cover all that was offered, and repeat nothing', () => {
  const chunking = fc
    .record({ chunkTokens: fc.integer({ min: 64, max: 600 }), overlapTokens: fc.integer({ min: 0, max: 299 }) })
    .filter(({ chunkTokens, overlapTokens }) => 2 * overlapTokens < chunkTokens);
  fc.assert(
    fc.property(
      chunking,
      fc.integer({ min: 1, max: 120 }),
      fc.infiniteStream(fc.nat()),
      (settings, sentences, picks) => {
        const { text, candidates } = candidatesOf(sentences, settings);
        const order = candidates.map((candidate) => ({ candidate, at: picks.next().value }));
        const offered = order.toSorted((x, y) => x.at - y.at).map(({ candidate }) => candidate);
        const shown = chosenOf(offered).toSorted((x, y) => x.start - y.start);
        let end = 0;
        for (const passage of shown) {
          expect(passage.text).toBe(text.slice(passage.start, passage.end));
          expect(passage.text).toBe(passage.text.trim());
          expect(text.slice(end, passage.start).trim()).toBe('');
          expect(passage.start).toBeGreaterThanOrEqual(end);
          end = passage.end;
        }
        expect(end).toBe(text.length);
        expect(new Set(shown.map(({ chunkId }) => chunkId)).size).toBe(shown.length);
      },
    ),
    { numRuns: 200 },
  );
});
