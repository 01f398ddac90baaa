import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ClaimedSlackDelivery } from '../../../contract/ports/index.ts';
import { DeliveryLost, type WithoutPlace } from '../../../slack/processing/attempt.ts';
import { createProcessor } from '../../../slack/processing/processor.ts';
import { createMemoryInbox } from './memory-inbox.ts';

const hourMs = 60 * 60_000;
const away = new Error('away');
const log = { warn: () => undefined, error: () => undefined };
const metrics = { slackDeliveries: { inc: () => undefined } } as never;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
/** Lets time pass, and what waits for it go on. */
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

type Handle = (delivery: ClaimedSlackDelivery, withoutPlace: WithoutPlace) => Promise<void>;

function stage(handle: Handle, mayPass: (error: unknown) => boolean = (error) => error === away) {
  const inbox = createMemoryInbox();
  const handled: string[] = [];
  const failures: { key: string; error: unknown }[] = [];
  const processor = createProcessor({
    inbox,
    owner: 'one',
    async handle(delivery, withoutPlace) {
      handled.push(delivery.key);
      await handle(delivery, withoutPlace);
    },
    mayPass,
    onPutBack: () => undefined,
    reportFailure: async ({ key }, error) => void failures.push({ key, error }),
    log,
    metrics,
  });
  return { inbox, processor, handled, failures };
}

test('before it starts, a delivery that is stored waits', async () => {
  const { inbox, processor, handled } = stage(async () => undefined);
  inbox.add('a');
  processor.wake();
  await pass(60_000);
  expect(handled).toEqual([]);
  processor.start(() => ['T1']);
  await pass(0);
  expect(handled).toEqual(['a']);
  expect(inbox.row('a')).toMatchObject({ isCompleted: true });
});

test('what fails while it stops is left to other processes, also when it would not pass', async () => {
  const identity = Promise.withResolvers<never>();
  const { inbox, processor, failures } = stage(() => identity.promise);
  inbox.add('a');
  processor.start(() => ['T1']);
  await pass(0);
  const stopped = processor.stop(1_000);
  identity.reject(new Error('the process stops'));
  await stopped;
  expect(failures).toEqual([]);
  expect(inbox.row('a')).toMatchObject({ isCompleted: false, owner: null });
});

test('a delivery whose outcome could not be stored is processed again, while the process is busy with others', async () => {
  const { inbox, processor, handled } = stage(({ key }) =>
    key === 'long' ? new Promise(() => undefined) : Promise.resolve(),
  );
  inbox.add('long');
  inbox.add('a');
  inbox.failNextComplete();
  processor.start(() => ['T1']);
  await pass(0);
  expect(handled).toEqual(['long', 'a']);
  expect(inbox.row('a')).toMatchObject({ isCompleted: false, owner: 'one' });
  await pass(32_000);
  expect(handled).toEqual(['long', 'a', 'a']);
  expect(inbox.row('a')).toMatchObject({ isCompleted: true });
  expect(inbox.row('long').leasedUntil).toBeGreaterThan(Date.now());
});

test('deliveries of one busy channel leave room for those of others', async () => {
  const { inbox, processor, handled } = stage(() => new Promise(() => undefined));
  for (let i = 0; i < 20; i++) inbox.add(`busy ${i}`, { lane: `T1:C1:${i}.0` });
  inbox.add('quiet', { lane: 'T1:C2:1.0' });
  processor.start(() => ['T1']);
  await pass(0);
  expect(handled).toEqual(['busy 0', 'busy 1', 'busy 2', 'quiet']);
});

test('deliveries that wait for files do not keep others waiting, in their channel neither', async () => {
  const read = Promise.withResolvers<void>();
  const { inbox, processor, handled } = stage(async ({ key }, withoutPlace) => {
    if (key.startsWith('files')) await withoutPlace(() => read.promise);
  });
  for (let i = 0; i < 20; i++) inbox.add(`files ${i}`, { lane: `T1:C1:${i}.0` });
  inbox.add('same channel', { lane: 'T1:C1:99.0' });
  inbox.add('other channel', { lane: 'T1:C2:1.0' });
  processor.start(() => ['T1']);
  await pass(0);
  expect(handled).toHaveLength(22);
  expect(inbox.row('same channel')).toMatchObject({ isCompleted: true });
  expect(inbox.row('other channel')).toMatchObject({ isCompleted: true });
  expect(inbox.row('files 0')).toMatchObject({ isCompleted: false, owner: 'one' });
  read.resolve();
  await pass(0);
  expect(inbox.row('files 19')).toMatchObject({ isCompleted: true });
});

test('a delivery that another process has taken over is left to it', async () => {
  const { inbox, processor, failures } = stage(async () => {
    inbox.row('a').owner = 'two';
    throw new DeliveryLost();
  });
  inbox.add('a');
  processor.start(() => ['T1']);
  await pass(0);
  expect(failures).toEqual([]);
  expect(inbox.row('a')).toMatchObject({ isCompleted: false, owner: 'two' });
});

test('what is away for less than a day is waited for', async () => {
  const { inbox, processor, failures } = stage(() => Promise.reject(away));
  inbox.add('a', { receivedAt: new Date(Date.now() - 23 * hourMs) });
  processor.start(() => ['T1']);
  await pass(0);
  expect(failures).toEqual([]);
  expect(inbox.row('a')).toMatchObject({ isCompleted: false, owner: null });
});

test('what is away for more than a day is reported to the person and completed', async () => {
  const { inbox, processor, failures } = stage(() => Promise.reject(away));
  inbox.add('a', { receivedAt: new Date(Date.now() - 25 * hourMs) });
  processor.start(() => ['T1']);
  await pass(0);
  expect(failures).toEqual([{ key: 'a', error: away }]);
  expect(inbox.row('a')).toMatchObject({ isCompleted: true });
});
