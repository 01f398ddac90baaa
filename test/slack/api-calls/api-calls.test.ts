import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { webApi } from '@slack/bolt';
import { createApiCalls, type SlackAnswer, type SlackCall } from '../../../slack/api-calls/api-calls.ts';
import { SlackCallError } from '../../../slack/api-calls/call-error.ts';
import { createTestClock } from '../posting/test-clock.ts';

type Sent = { at: number; method: string; args: Record<string, unknown> };

/** A queue in front of a Slack that answers at once, or as the test says. */
function createQueue({ mostWaiting = 1_000, answer = () => ({ ok: true }) }: QueueOptions = {}) {
  const clock = createTestClock(0);
  const sent: Sent[] = [];
  const outcomes: string[] = [];
  const calls = createApiCalls({
    send: async (_team, method, args) => {
      sent.push({ at: clock.now(), method, args });
      return answer({ at: clock.now(), method, args });
    },
    clock,
    log: { warn: () => undefined } as never,
    metrics: { observe: ({ method, outcome }) => outcomes.push(`${method} ${outcome}`) },
    mostWaiting,
  });
  const post = (text: string, more: Partial<SlackCall> = {}) =>
    calls.call({ team: 'T1', method: 'chat.postMessage', channel: 'C1', arguments: () => ({ text }), ...more });
  return { clock, calls, sent, outcomes, post, texts: () => sent.map(({ args }) => args.text) };
}

type QueueOptions = { mostWaiting?: number; answer?: (sent: Sent) => SlackAnswer | Promise<SlackAnswer> };

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

test('a channel gets one message a second, in the order of asking, and other channels do not wait', async () => {
  const { clock, sent, post, texts } = createQueue();
  const asked = numbers(5).map((text) => post(text));
  asked.push(post('other', { channel: 'C2' }));
  await clock.run(Promise.all(asked));
  expect(texts()).toEqual(['0', 'other', '1', '2', '3', '4']);
  const times = sent.filter(({ args }) => args.text !== 'other').map(({ at }) => at);
  for (const [index, at] of times.entries()) if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThan(1_000);
  expect(sent.find(({ args }) => args.text === 'other')?.at).toBe(0);
});

test('a minute never has more calls of a method than its tier allows', async () => {
  const { clock, calls, sent } = createQueue();
  const asked = numbers(120).map(() => calls.call({ team: 'T1', method: 'chat.update', arguments: () => ({}) }));
  await clock.run(Promise.all(asked));
  for (const { at } of sent) {
    const within = sent.filter((other) => other.at >= at && other.at < at + 60_000).length;
    expect(within).toBeLessThanOrEqual(50);
  }
  // And it is not much slower than it may be.
  expect(sent.at(-1)?.at).toBeLessThan(3.5 * 60_000);
});

test('a call that is refused with 429 waits as long as Slack says and keeps its turn', async () => {
  let refused = 0;
  const { clock, sent, outcomes, post } = createQueue({
    answer: ({ at }) => {
      if (at >= 30_000) return { ok: true };
      refused++;
      throw new webApi.WebAPIRateLimitedError(30);
    },
  });
  const answers = await clock.run(Promise.all(numbers(3).map((text) => post(text))));
  expect(answers).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  expect(refused).toBe(1);
  expect(sent.slice(1).map(({ args }) => args.text)).toEqual(['0', '1', '2']);
  expect(sent[1]?.at).toBeGreaterThanOrEqual(30_000);
  expect(outcomes).toEqual([
    'chat.postMessage ratelimited',
    'chat.postMessage ok',
    'chat.postMessage ok',
    'chat.postMessage ok',
  ]);
});

test('an urgent call goes before others, but not before earlier ones of the same message', async () => {
  const { clock, post, texts } = createQueue();
  const asked = [
    post('first'),
    post('a1', { order: 'a' }),
    post('b1', { order: 'b' }),
    post('b2', { order: 'b', isUrgent: true }),
    post('c', { isUrgent: true }),
  ];
  await clock.run(Promise.all(asked));
  expect(texts()).toEqual(['first', 'c', 'a1', 'b1', 'b2']);
});

test('what is sent is asked for right before the call, and a call without arguments is not made', async () => {
  const { clock, post, texts } = createQueue();
  let text: string | undefined = 'early';
  const first = post('first');
  const late = post('', { arguments: () => ({ text }) });
  const dropped = post('', { arguments: () => undefined });
  text = 'late';
  expect(await clock.run(Promise.all([first, late, dropped]))).toEqual([{ ok: true }, { ok: true }, undefined]);
  expect(texts()).toEqual(['first', 'late']);
});

test('an abort takes a waiting call back, and a call that was sent is waited for', async () => {
  const { clock, sent, post } = createQueue();
  const abort = new AbortController();
  const first = post('first', { signal: abort.signal });
  const second = post('second', { signal: abort.signal });
  second.catch(() => undefined);
  const third = post('third');
  await nextTurn();
  abort.abort(new Error('not needed'));
  await expect(second).rejects.toThrow('not needed');
  expect(await clock.run(Promise.all([first, third]))).toEqual([{ ok: true }, { ok: true }]);
  expect(sent.map(({ args }) => args.text)).toEqual(['first', 'third']);
});

test('the stop takes waiting calls back and ends when the sent ones are answered', async () => {
  const answer = Promise.withResolvers<SlackAnswer>();
  const { clock, calls, post } = createQueue({ answer: () => answer.promise });
  const first = post('first');
  const second = post('second');
  second.catch(() => undefined);
  await nextTurn();
  let isStopped = false;
  const stopped = calls.stop().then(() => (isStopped = true));
  await expect(second).rejects.toThrow('stops');
  expect(isStopped).toBe(false);
  answer.resolve({ ok: true });
  expect(await clock.run(first)).toEqual({ ok: true });
  await clock.run(stopped);
  await expect(post('later')).rejects.toThrow('stops');
});

test('callers wait for a place in a full queue, and none is lost', async () => {
  const { clock, calls, post, texts } = createQueue({ mostWaiting: 3 });
  const asked = numbers(10).map((text) => post(text));
  await nextTurn();
  expect(calls.depth()).toBeLessThanOrEqual(3);
  await clock.run(Promise.all(asked));
  expect(texts()).toEqual(numbers(10));
});

const failures: [string, () => Error, Pick<SlackCallError, 'code' | 'effect'>][] = [
  [
    'an error of Slack',
    () => new webApi.WebAPIPlatformError({ ok: false, error: 'is_archived' }),
    { code: 'is_archived', effect: 'refused' },
  ],
  [
    'a failure inside of Slack',
    () => new webApi.WebAPIPlatformError({ ok: false, error: 'fatal_error' }),
    { code: 'fatal_error', effect: 'unknown' },
  ],
  [
    'the page of a proxy',
    () => new webApi.WebAPIPlatformError({ ok: false, error: '<html>a secret</html>' }),
    { code: 'unreadable_answer', effect: 'unknown' },
  ],
  [
    'a server that is away',
    () => new webApi.WebAPIHTTPError(503, 'Service Unavailable', {}),
    { code: 'unavailable', effect: 'unknown' },
  ],
  [
    'a broken connection',
    () => new webApi.WebAPIRequestError(new Error('socket hang up: a secret')),
    { code: 'unavailable', effect: 'unknown' },
  ],
];
test.each(failures)('%s is reported with a code, and without content', async (_, fail, expected) => {
  const { clock, outcomes, post } = createQueue({
    answer: () => {
      throw fail();
    },
  });
  const error = await clock.run(
    post('words').then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
  );
  expect(error).toBeInstanceOf(SlackCallError);
  expect(error).toMatchObject(expected);
  expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  expect(outcomes).toEqual([`chat.postMessage ${expected.code}`]);
});
