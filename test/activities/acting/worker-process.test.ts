import { expect, test } from '@jest/globals';
import { createWorkerProcess } from '../../../activities/acting/worker-process.ts';
import { until } from '../../support/until.ts';

function standStill(ms: number) {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

test('a process knows during which attempts it stood still, while they run and after their end', async () => {
  const worker = createWorkerProcess({ mostMs: 20, everyMs: 5 });
  const end = worker.watch('runs');
  standStill(50);
  await until('it is noted', async () => worker.stoodStill('runs'));
  end();
  const endAtOnce = worker.watch('ends');
  standStill(50);
  endAtOnce();
  expect(worker.stoodStill('ends')).toBe(true);
  expect(worker.stoodStill('never watched')).toBe(false);
});

test('a short pause is none, and each process has an id of its own', () => {
  const worker = createWorkerProcess({ mostMs: 3_600_000 });
  const end = worker.watch('runs');
  standStill(20);
  end();
  expect(worker.stoodStill('runs')).toBe(false);
  expect(createWorkerProcess().id).not.toBe(worker.id);
});
