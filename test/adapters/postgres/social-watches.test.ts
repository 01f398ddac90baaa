import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSocialWatches } from '../../../adapters/postgres/social/social-watches.ts';
import type { SocialWatches } from '../../../contract/ports/index.ts';
import { createLedgerHarness, type LedgerHarness } from '../../support/ledger/ledger-harness.ts';

let harness: LedgerHarness;
let watches: SocialWatches;
beforeAll(async () => {
  harness = await createLedgerHarness();
  watches = createSocialWatches(harness.db);
});
afterAll(() => harness?.close());

const newTask = async () => (await harness.newTask()).task;
const endTask = (taskId: string, status: string) =>
  harness.pool.query('update tasks set status = $2, ended_at = now() where id = $1', [taskId, status]);
const newWatch = () => crypto.randomUUID();

test('the first look is the baseline, the next one finds what came since', async () => {
  const watch = newWatch();
  const [first, second, third] = [await newTask(), await newTask(), await newTask()];
  expect(await watches.see(first, watch, ['a', 'b'])).toMatchObject({ isBaseline: true });
  await endTask(first.taskId, 'completed');
  expect(await watches.see(second, watch, ['a', 'b', 'c'])).toEqual({ isBaseline: false, fresh: ['c'] });
  await endTask(second.taskId, 'completed');
  expect(await watches.see(third, watch, ['a', 'c'])).toEqual({ isBaseline: false, fresh: [] });
  expect(await watches.see(third, newWatch(), [])).toEqual({ isBaseline: true, fresh: [] });
});

test('a repeat in the same task finds the same, also of the baseline, and with what came meanwhile', async () => {
  const watch = newWatch();
  const [first, second] = [await newTask(), await newTask()];
  for (let times = 0; times < 2; times++) expect((await watches.see(first, watch, ['a'])).isBaseline).toBe(true);
  await endTask(first.taskId, 'completed');
  expect((await watches.see(second, watch, ['a', 'b'])).fresh).toEqual(['b']);
  expect((await watches.see(second, watch, ['a', 'b', 'c'])).fresh.sort()).toEqual(['b', 'c']);
});

test.each(['failed', 'cancelled'])(
  'what a task that ended %s has seen, no person has read: it is new again',
  async (status) => {
    const watch = newWatch();
    const [first, second, third, fourth] = [await newTask(), await newTask(), await newTask(), await newTask()];
    await watches.see(first, watch, ['a']);
    await endTask(first.taskId, status);
    expect((await watches.see(second, watch, ['a'])).isBaseline).toBe(true);
    await endTask(second.taskId, 'completed');
    expect((await watches.see(third, watch, ['a', 'b'])).fresh).toEqual(['b']);
    // While it runs, what it has seen is its own.
    expect((await watches.see(fourth, watch, ['a', 'b'])).fresh).toEqual([]);
    await endTask(third.taskId, status);
    expect((await watches.see(fourth, watch, ['a', 'b'])).fresh).toEqual(['b']);
  },
);

test('of several runs at once each thing is new to one', async () => {
  const watch = newWatch();
  const first = await newTask();
  await watches.see(first, watch, ['a']);
  await endTask(first.taskId, 'completed');
  const tasks = await Promise.all(Array.from({ length: 4 }, newTask));
  const ids = Array.from({ length: 200 }, (_, n) => `item ${n}`);
  const seen = await Promise.all(tasks.map((task) => watches.see(task, watch, ids)));
  expect(seen.flatMap(({ fresh }) => fresh).sort()).toEqual([...ids].sort());
});

test('another person, another tenant and another watch have seen nothing', async () => {
  const watch = newWatch();
  const task = await newTask();
  await watches.see(task, watch, ['a']);
  for (const other of [
    { ...task, subject: 'eve' },
    { ...task, tenant: 'other' },
  ])
    expect(await watches.see({ ...other, taskId: crypto.randomUUID() }, watch, ['a'])).toMatchObject({
      isBaseline: true,
    });
});

test('failures in a row are counted once a task, and end with an answer', async () => {
  const watch = newWatch();
  const [first, second, third] = [await newTask(), await newTask(), await newTask()];
  expect(await watches.noteFailure(first, watch)).toBe(1);
  expect(await watches.noteFailure(first, watch)).toBe(1);
  expect(await watches.noteFailure(second, watch)).toBe(2);
  expect((await watches.see(third, watch, ['a'])).isBaseline).toBe(true);
  expect(await watches.noteFailure(first, watch)).toBe(1);
});

test('what was not seen for 90 days is forgotten; no word of an item is stored', async () => {
  const [watch, task] = [newWatch(), await newTask()];
  await watches.see(task, watch, ['a secret address']);
  const rows = async () => (await harness.pool.query('select * from social_seen where watch = $1', [watch])).rows;
  expect(JSON.stringify(await rows())).not.toContain('secret');
  await watches.removeOld(1_000);
  expect(await rows()).toHaveLength(1);
  for (const table of ['social_seen', 'social_watches'])
    await harness.pool.query(`update ${table} set seen_at = now() - interval '91 days' where watch = $1`, [watch]);
  expect(await watches.removeOld(1_000)).toBe(1);
  expect(await rows()).toEqual([]);
});

test('a person has at most 100 watches: those go on, one more is refused, and others have their own', async () => {
  const task = await newTask();
  const busy = { ...task, subject: 'busy' };
  await harness.pool.query(
    "insert into social_watches (tenant, subject, watch) select $1, 'busy', 'w' || n from generate_series(1, 99) n",
    [task.tenant],
  );
  expect((await watches.see(busy, 'last', ['a'])).isBaseline).toBe(true);
  const refused = { code: 'invalid_request', message: expect.stringMatching(/Use the name .* of one that you have/) };
  await expect(watches.see(busy, 'more', ['a'])).rejects.toMatchObject(refused);
  await expect(watches.noteFailure(busy, 'more')).rejects.toMatchObject(refused);
  expect((await watches.see(busy, 'last', ['a'])).fresh).toEqual(['a']);
  expect(await watches.noteFailure(busy, 'w1')).toBe(1);
  expect((await watches.see({ ...busy, subject: 'other' }, 'more', [])).isBaseline).toBe(true);
  await harness.pool.query("delete from social_watches where subject = 'busy' and watch = 'w1'");
  expect((await watches.see(busy, 'more', [])).isBaseline).toBe(true);
});
