import { afterEach, expect, test } from '@jest/globals';
import { createDocumentParser } from '../../parsing/document-parser.ts';
import { parseWith } from '../support/files/parsing.ts';

let parser: ReturnType<typeof createDocumentParser>;
afterEach(() => parser.close());
const parse = parseWith(() => parser);

/** Keeps a thread busy for minutes: the Markdown parser compares every opening mark with all others. */
const hostile = '*a_ '.repeat(60_000);

test('a file that takes too long is refused, and the main thread is not blocked meanwhile', async () => {
  parser = createDocumentParser({ processes: 1, timeLimitMs: 2_000 });
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  await expect(parse('slow.md', hostile)).rejects.toMatchObject({
    code: 'file_too_slow',
    message: 'slow.md: reading took longer than 2 s and was stopped. Split or simplify the file and add it again.',
  });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(10);
});

test('a file that takes too much memory is refused', async () => {
  parser = createDocumentParser({ processes: 1, memoryLimitMb: 48 });
  await expect(parse('large.html', '<p>x'.repeat(400_000))).rejects.toMatchObject({
    code: 'file_too_large',
    message: 'large.html: reading needs more than 48 MB of memory. Split the file and add it again.',
  });
});

test('a cancelled file frees its process for the next, and a cancelled waiting file takes none', async () => {
  parser = createDocumentParser({ processes: 1 });
  await parse('warm.txt', 'The thread is up.');
  const cancel = new AbortController();
  const file = { name: 'slow.md', mediaType: '', bytes: Buffer.from(hostile) };
  const running = parser.parse(file, cancel.signal);
  const waiting = parser.parse(file, cancel.signal);
  const next = parse('next.txt', 'Next.');
  setImmediate(() => cancel.abort(new Error('the task was cancelled')));
  await expect(running).rejects.toThrow('the task was cancelled');
  await expect(waiting).rejects.toThrow('the task was cancelled');
  expect((await next).text).toBe('Next.');
  await expect(parser.parse(file, cancel.signal)).rejects.toThrow('the task was cancelled');
});

test('many files at once are all read, and only the bad one is refused', async () => {
  parser = createDocumentParser({ processes: 2 });
  const settled = await Promise.allSettled(
    Array.from({ length: 200 }, (_, n) => parse(`${n}.txt`, n === 77 ? '' : `File ${n}`)),
  );
  expect(settled.flatMap((outcome, n) => (outcome.status === 'rejected' ? [n] : []))).toEqual([77]);
  expect(settled[123]).toMatchObject({ value: { text: 'File 123' } });
});

test('closing ends running and waiting files and refuses later ones', async () => {
  parser = createDocumentParser({ processes: 1 });
  await parse('warm.txt', 'The thread is up.');
  const [running, waiting] = [parse('slow.md', hostile), parse('waits.txt', 'Waits.')];
  const ended = Promise.allSettled([running, waiting]);
  await parser.close();
  expect(await ended).toMatchObject([{ reason: { code: 'draining' } }, { reason: { code: 'draining' } }]);
  await expect(parse('late.txt', 'Late.')).rejects.toMatchObject({ code: 'draining' });
});

test('a process without enough memory for the parser is given up, and ends nothing but itself', async () => {
  parser = createDocumentParser({ processes: 1, memoryLimitMb: 4, timeLimitMs: 1_000 });
  // It ends while it starts.
  await expect(parse('a.txt', 'Text.')).rejects.toMatchObject({ name: 'AlfredError' });
});
