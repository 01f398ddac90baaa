import { expect, test } from '@jest/globals';
import { createTurns } from '../../../activities/acting/turns.ts';

const { signal } = new AbortController();
/** Lets promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Takes turns by name. @returns the names of those that have begun, in order */
function takeTurns(turns = createTurns()) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string, isAlone: boolean, stop = signal) =>
    turns.take(isAlone, stop).then((end) => {
      begun.push(name);
      ends.set(name, end);
    });
  return { begun, take, end: (name: string) => ends.get(name)?.() };
}

test('a call that must be alone waits for those before it, and those after it wait for it', async () => {
  const { begun, take, end } = takeTurns();
  void take('a', false);
  void take('b', false);
  void take('alone', true);
  void take('alone too', true);
  void take('c', false);
  await settle();
  expect(begun).toEqual(['a', 'b']);
  end('a');
  end('a');
  await settle();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settle();
  expect(begun).toEqual(['a', 'b', 'alone']);
  end('alone');
  await settle();
  expect(begun).toEqual(['a', 'b', 'alone', 'alone too']);
  end('alone too');
  await settle();
  expect(begun.at(-1)).toBe('c');
});

test('an abort ends a wait and a turn', async () => {
  const { begun, take } = takeTurns();
  const abort = new AbortController();
  await take('hangs', true, abort.signal);
  const waits = take('waits', true, abort.signal);
  void take('next', false);
  abort.abort(new Error('TIMED_OUT'));
  await expect(waits).rejects.toThrow('TIMED_OUT');
  await settle();
  expect(begun).toEqual(['hangs', 'next']);
  await expect(take('late', false, abort.signal)).rejects.toThrow('TIMED_OUT');
});

test('a call that waits too long is to be made again, and holds up nothing', async () => {
  const { begun, take } = takeTurns(createTurns({ waitMs: 1 }));
  await take('slow', false);
  await expect(take('alone', true)).rejects.toMatchObject({ code: 'tool_failed', failures: 0 });
  await take('next', false);
  expect(begun).toEqual(['slow', 'next']);
});

test('a call waits no longer than its own time allows', async () => {
  const turns = createTurns();
  await turns.take(false, signal);
  await expect(turns.take(true, signal, 1)).rejects.toMatchObject({ code: 'tool_failed', failures: 0 });
});
