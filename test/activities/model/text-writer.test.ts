import { expect, test } from '@jest/globals';
import { createTextWriter } from '../../../activities/model/text-writer.ts';
import { until } from '../../support/until.ts';

/** A writer whose writes are kept. `fails`: how many of the next writes fail. */
function createSubject() {
  const written: string[] = [];
  const state = { fails: 0 };
  const write = (kind: string) => (text: string) => {
    if (state.fails-- > 0) return Promise.reject(new Error('no connection'));
    written.push(`${kind} ${text}`);
    return Promise.resolve();
  };
  const writer = createTextWriter({ append: write('+'), complete: write('=') }, () => {});
  return { writer, written, state };
}

test('a text that ends in the moment in which it began is left to the caller', async () => {
  const { writer, written } = createSubject();
  for (const word of ['Within ', '30 ', 'days.']) writer.write(word);
  expect(await writer.close()).toEqual({ rest: 'Within 30 days.', pieces: 0 });
  expect(written).toEqual([]);
});

test('what comes in one moment is one piece, and what came since the last piece is left at once', async () => {
  const { writer, written } = createSubject();
  writer.write('Within ');
  writer.write('30 ');
  await until('a piece is written', () => written.length === 1);
  expect(written).toEqual(['+ Within 30 ']);
  writer.write('days.');
  // The pause after a piece takes 40 ms and more, and is not waited for.
  const startedAt = performance.now();
  expect(await writer.close()).toEqual({ rest: 'days.', pieces: 1 });
  expect(performance.now() - startedAt).toBeLessThan(40);
});

test('a text of which it is unknown how much is stored is completed, or left whole', async () => {
  const mended = createSubject();
  mended.state.fails = 1;
  mended.writer.write('Within ');
  await until('a write fails', () => mended.state.fails < 1);
  mended.writer.write('30 days.');
  expect(await mended.writer.close()).toEqual({ rest: '', pieces: 2 });
  expect(mended.written).toEqual(['= Within 30 days.']);

  const broken = createSubject();
  broken.state.fails = 9;
  broken.writer.write('Within ');
  await until('a write fails', () => broken.state.fails < 9);
  broken.writer.write('30 days.');
  expect(await broken.writer.close()).toMatchObject({ rest: '', whole: 'Within 30 days.' });
  expect(broken.written).toEqual([]);
});
