import { afterEach, expect, test } from '@jest/globals';
import { createClock, type SettableClock } from '../../../deploy/slack/fake/clock.ts';
import { until } from '../../support/until.ts';

const clocks: SettableClock[] = [];
const create = (options: Parameters<typeof createClock>[0]) => {
  const clock = createClock(options);
  clocks.push(clock);
  return clock;
};
afterEach(() => clocks.splice(0).forEach((clock) => clock.clear()));

test('a clock that stands still runs timers in order, each at its time', () => {
  const clock = create({ start: 1_000, speed: 0 });
  const ran: [string, number][] = [];
  const note = (name: string) => () => void ran.push([name, clock.now()]);
  clock.after(300, note('third'));
  clock.after(100, () => {
    note('first')();
    clock.after(100, note('second'));
  });
  const cancel = clock.after(150, note('cancelled'));
  cancel();
  clock.advance(250);
  expect(ran).toEqual([
    ['first', 1_100],
    ['second', 1_200],
  ]);
  expect(clock.now()).toBe(1_250);
  clock.advance(50);
  expect(ran.at(-1)).toEqual(['third', 1_300]);
});

test('a fast clock runs a minute in less than a second', async () => {
  const clock = create({ speed: 1_000 });
  const start = clock.now();
  let ranAt = 0;
  clock.after(60_000, () => {
    ranAt = clock.now();
  });
  await until('the timer ran', () => ranAt > 0, { withinMs: 5_000 });
  expect(ranAt - start).toBeGreaterThanOrEqual(60_000);
});

test('a running clock can be moved forward too', () => {
  const clock = create({});
  let ran = false;
  clock.after(60_000, () => {
    ran = true;
  });
  clock.advance(59_000);
  expect(ran).toBe(false);
  clock.advance(1_000);
  expect(ran).toBe(true);
});
