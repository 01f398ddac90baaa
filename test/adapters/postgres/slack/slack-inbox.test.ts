import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createSlackInbox } from '../../../../adapters/postgres/slack/slack-inbox.ts';
import type { SlackDelivery, SlackInbox } from '../../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
let inbox: SlackInbox;
beforeAll(async () => {
  env = await createTestEnvironment();
  inbox = createSlackInbox(env.postgres.db);
});
beforeEach(() => env.postgres.pool.query('delete from slack_inbox'));
afterAll(() => env?.close());

const leaseMs = 30_000;
const team = 'T1';
const delivery = (key: string, lane = 'T1:C1:1.0'): SlackDelivery => ({
  key,
  kind: 'event',
  team,
  lane,
  body: { event: { text: `text of ${key}` } },
});
const storeAll = async (...all: SlackDelivery[]) => {
  for (const one of all) await inbox.store(one);
};
const claimKey = async (owner: string) => (await inbox.claim(owner, leaseMs, { teams: [team] }))?.key;
/** Lets the lease of a delivery pass. */
const expire = (key: string) =>
  env.postgres.pool.query("update slack_inbox set leased_until = now() - interval '1 second' where key = $1", [key]);
const row = async (key: string) =>
  (await env.postgres.pool.query('select * from slack_inbox where key = $1', [key])).rows[0];

test('a delivery is stored once, also when it comes twice at the same time', async () => {
  const stored = await Promise.all([1, 2, 3, 4].map(() => inbox.store(delivery('a'))));
  expect(stored.filter(Boolean)).toHaveLength(1);
  expect(await inbox.store(delivery('a'))).toBe(false);
  expect(await inbox.depth()).toBe(1);
});

test('a text with characters that Postgres refuses is stored', async () => {
  expect(await inbox.store({ ...delivery('a'), body: { text: 'a\u0000b \ud800' } })).toBe(true);
  expect((await inbox.claim('one', leaseMs, { teams: [team] }))?.body).toEqual({ text: 'ab \ufffd' });
});

test('of two processes that claim at once, each gets another delivery', async () => {
  await storeAll(delivery('a', 'x'), delivery('b', 'y'));
  const keys = await Promise.all([claimKey('one'), claimKey('two')]);
  // One may find nothing when both chose the same row; it gets the other with its next claim.
  const rest = keys.includes(undefined) ? [await claimKey('two')] : [];
  expect([...keys, ...rest].filter(Boolean).toSorted()).toEqual(['a', 'b']);
  expect(await claimKey('three')).toBeUndefined();
});

test('a lane is processed in order and one at a time, and another lane does not wait for it', async () => {
  await storeAll(delivery('a'), delivery('b'), delivery('other', 'T1:C2:1.0'));
  expect(await claimKey('one')).toBe('a');
  expect(await claimKey('two')).toBe('other');
  expect(await claimKey('two')).toBeUndefined();
  await inbox.complete('one', 'a');
  expect(await claimKey('two')).toBe('b');
});

test('a delivery that is put back keeps its place in the lane and counts its attempts', async () => {
  await storeAll(delivery('a'), delivery('b'));
  expect(await inbox.claim('one', leaseMs, { teams: [team] })).toMatchObject({ key: 'a', attempts: 1 });
  await inbox.retry('one', 'a', 60_000);
  expect(await claimKey('one')).toBeUndefined();
  await env.postgres.pool.query("update slack_inbox set due_at = now() where key = 'a'");
  expect(await inbox.claim('two', leaseMs, { teams: [team] })).toMatchObject({ key: 'a', attempts: 2 });
});

test('after its lease has expired, a delivery goes to another process, and the first can no longer change it', async () => {
  await storeAll(delivery('a'), delivery('b'));
  expect(await claimKey('one')).toBe('a');
  await expire('a');
  expect(await claimKey('two')).toBe('a');
  await inbox.complete('one', 'a');
  await inbox.retry('one', 'a', 0);
  expect(await row('a')).toMatchObject({ owner: 'two', completed_at: null });
  await inbox.complete('two', 'a');
  expect(await claimKey('one')).toBe('b');
});

test('a renewed lease does not expire, and one that is not renewed does', async () => {
  await storeAll(delivery('a', 'x'), delivery('b', 'y'));
  expect([await claimKey('one'), await claimKey('one')].toSorted()).toEqual(['a', 'b']);
  await expire('a');
  await expire('b');
  await inbox.renew('one', leaseMs, ['a']);
  await inbox.renew('two', leaseMs, ['b']);
  await inbox.renew('one', leaseMs, []);
  expect(await claimKey('two')).toBe('b');
  expect(await claimKey('two')).toBeUndefined();
});

test('a delivery of another workspace waits, and one that names none does not', async () => {
  await storeAll({ ...delivery('other', 'x'), team: 'T2' }, { ...delivery('none', 'y'), team: '' });
  expect(await inbox.claim('one', leaseMs, { teams: [team] })).toMatchObject({
    key: 'none',
    receivedAt: expect.any(Date),
  });
  expect(await claimKey('one')).toBeUndefined();
  expect(await row('other')).toMatchObject({ owner: null, completed_at: null, body: expect.anything() });
  expect(await inbox.claim('two', leaseMs, { teams: ['T2'] })).toMatchObject({ key: 'other' });
});

test('channels can be left out', async () => {
  await storeAll(delivery('busy', 'T1:C1:1.0'), delivery('quiet', 'T1:C2:1.0'));
  expect(await inbox.claim('one', leaseMs, { teams: [team], without: ['C1', 'C3'] })).toMatchObject({ key: 'quiet' });
  expect(await inbox.claim('one', leaseMs, { teams: [team], without: ['C1', 'C3'] })).toBeUndefined();
  expect(await claimKey('one')).toBe('busy');
});

test('one that was committed late does not begin beside the one that was begun', async () => {
  await storeAll(delivery('late'), delivery('begun'));
  // As if the transaction of the first had ended only now.
  await env.postgres.pool.query("update slack_inbox set owner = 'one', leased_until = now() where key = 'begun'");
  expect(await claimKey('two')).toBe('begun');
  expect(await claimKey('three')).toBeUndefined();
  await inbox.complete('two', 'begun');
  expect(await claimKey('three')).toBe('late');
});

test('ten processes that race for fifty deliveries process each once, in order within its lane', async () => {
  for (let i = 0; i < 50; i++) await inbox.store(delivery(`${i}`, `lane ${i % 7}`));
  const done: { lane: string; key: number }[] = [];
  const work = async (owner: string) => {
    while (done.length < 50) {
      const one = await inbox.claim(owner, leaseMs, { teams: [team] });
      if (!one) continue;
      done.push({ lane: one.lane, key: Number(one.key) });
      await inbox.complete(owner, one.key);
    }
  };
  await Promise.all(Array.from({ length: 10 }, (_, i) => work(`process ${i}`)));
  expect(done).toHaveLength(50);
  for (const lane of Map.groupBy(done, (one) => one.lane).values())
    expect(lane.map(({ key }) => key)).toEqual(lane.map(({ key }) => key).toSorted((a, b) => a - b));
});

test('a completed delivery loses its body at once and its key after a day', async () => {
  await storeAll(delivery('a'), delivery('b', 'y'));
  await claimKey('one');
  await inbox.complete('one', 'a');
  expect(await row('a')).toMatchObject({ body: null, owner: null });
  expect(await inbox.store(delivery('a'))).toBe(false);
  expect(await inbox.depth()).toBe(1);
  expect(await inbox.removeOld()).toBe(0);
  await env.postgres.pool.query("update slack_inbox set completed_at = now() - interval '25 hours' where key = 'a'");
  expect(await inbox.removeOld()).toBe(1);
  expect(await row('a')).toBeUndefined();
  expect(await row('b')).toMatchObject({ completed_at: null });
});

test('what has waited for a day for a workspace that no process serves is removed, with its content', async () => {
  await storeAll(
    { ...delivery('old', 'a'), team: 'T2' },
    { ...delivery('second', 'b'), team: 'T2' },
    { ...delivery('claimed', 'c'), team: 'T2' },
    { ...delivery('new', 'd'), team: 'T2' },
    { ...delivery('of no workspace', 'e'), team: '' },
    delivery('own', 'f'),
  );
  await env.postgres.pool.query("update slack_inbox set received_at = now() - interval '26 hours' where key <> 'new'");
  await env.postgres.pool.query(
    "update slack_inbox set owner = 'other', leased_until = now() + interval '30 seconds' where key = 'claimed'",
  );
  expect(await inbox.removeAbandoned([team, 'T3'])).toEqual([{ team: 'T2', count: 2 }]);
  const { rows } = await env.postgres.pool.query('select key from slack_inbox order by key');
  expect(rows.map(({ key }) => key)).toEqual(['claimed', 'new', 'of no workspace', 'own']);
  expect(await inbox.removeAbandoned([team, 'T3'])).toEqual([]);
});

test('what is kept with a delivery is there for its next attempt, the first of it counts, and it goes with the end', async () => {
  await storeAll(delivery('a'));
  expect((await inbox.claim('one', leaseMs, { teams: [team] }))?.kept).toBeNull();
  expect(await inbox.keep('one', 'a', { text: 'a\u0000b' })).toEqual({ text: 'ab' });
  expect(await inbox.keep('one', 'a', { text: 'another' })).toEqual({ text: 'ab' });
  await expire('a');
  expect((await inbox.claim('two', leaseMs, { teams: [team] }))?.kept).toEqual({ text: 'ab' });
  expect(await inbox.keep('one', 'a', { text: 'late' })).toBeUndefined();
  await inbox.complete('two', 'a');
  expect(await row('a')).toMatchObject({ body: null, kept: null });
});
