import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createSlackPosts } from '../../../../adapters/postgres/slack/slack-posts.ts';
import type { SlackPostMessage, SlackPosts } from '../../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
let posts: SlackPosts;
beforeAll(async () => {
  env = await createTestEnvironment();
  posts = createSlackPosts(env.postgres.db);
});
beforeEach(() => env.postgres.pool.query('delete from slack_posts'));
afterAll(() => env?.close());

const leaseMs = 30_000;
const place = { team: 'T1', channel: 'C1', threadTs: '1.0' };
const post = () => ({
  ...place,
  id: uuidv7(),
  tenant: 'local',
  subject: 'slack:T1:C1',
  taskId: uuidv7(),
  agent: 'knowledge',
  userId: 'U1',
  questionTs: '1.0',
});
async function created() {
  const one = post();
  await posts.create(one);
  return one;
}
const message = (ts: string | null): SlackPostMessage => ({
  ts,
  state: ts === null ? 'starting' : 'shown',
  startedAt: '2026-01-01T00:00:00.000Z',
});
const expire = (id: string) =>
  env.postgres.pool.query("update slack_posts set leased_until = now() - interval '1 second' where id = $1", [id]);

test('a task has one post, also when it is created twice', async () => {
  const one = await created();
  await posts.create({ ...one, id: uuidv7(), channel: 'C2' });
  expect(await posts.findByTask(one.taskId)).toEqual({ ...one, messages: [], seq: 0, attempts: 0, files: [] });
  expect(await posts.depth()).toBe(1);
  expect(await posts.findByTask('no task')).toBeUndefined();
});

test('of two processes that claim at once, one gets the post', async () => {
  const { id } = await created();
  const claimed = await Promise.all(['one', 'two'].map((owner) => posts.claim(owner, leaseMs, 'T1')));
  expect(claimed.flatMap((one) => (one ? [one.id] : []))).toEqual([id]);
});

test('a post of another workspace is left to a process of that one', async () => {
  const other = { ...post(), team: 'T2' };
  await posts.create(other);
  expect(await posts.claim('one', leaseMs, 'T1')).toBeUndefined();
  expect([await posts.claimable('T1'), await posts.claimable('T2')]).toEqual([0, 1]);
  expect(await posts.claim('two', leaseMs, 'T2')).toMatchObject({ id: other.id });
  expect(await posts.claimable('T2')).toBe(0);
});

test('a post that no process has had yet comes before those that have waited longer', async () => {
  const old = await created();
  await posts.claim('one', leaseMs, 'T1');
  await posts.retry('one', old.id, 0);
  await env.postgres.pool.query("update slack_posts set due_at = now() - interval '1 hour'");
  const fresh = await created();
  expect(await posts.claimable('T1')).toBe(2);
  expect(await posts.claim('one', leaseMs, 'T1')).toMatchObject({ id: fresh.id });
  expect(await posts.claim('one', leaseMs, 'T1')).toMatchObject({ id: old.id });
});

test('posts of one thread are claimed side by side', async () => {
  await created();
  await created();
  expect(await posts.claim('one', leaseMs, 'T1')).toBeDefined();
  expect(await posts.claim('two', leaseMs, 'T1')).toBeDefined();
});

test('the writes of a process that has lost its lease change nothing', async () => {
  const { id } = await created();
  await posts.claim('one', leaseMs, 'T1');
  expect(await posts.save('one', id, { messages: [message(null)], seq: 3 })).toBe(true);
  await expire(id);
  expect(await posts.claim('two', leaseMs, 'T1')).toMatchObject({ id, messages: [message(null)], seq: 3, attempts: 2 });
  expect(await posts.save('one', id, { messages: [], seq: 9 })).toBe(false);
  await posts.finish('one', id);
  await posts.retry('one', id, 0);
  expect(await posts.renew('one', leaseMs)).toEqual([]);
  expect(await posts.renew('two', leaseMs)).toEqual([id]);
  expect(await posts.save('two', id, { messages: [message('2.0')], seq: 4 })).toBe(true);
});

test('a post that is put back is due later, and a finished one never again', async () => {
  const { id, taskId } = await created();
  await posts.claim('one', leaseMs, 'T1');
  await posts.retry('one', id, 60_000);
  expect(await posts.claim('two', leaseMs, 'T1')).toBeUndefined();
  await env.postgres.pool.query('update slack_posts set due_at = now()');
  expect(await posts.claim('two', leaseMs, 'T1')).toMatchObject({ id });
  await posts.finish('two', id);
  expect(await posts.claim('one', leaseMs, 'T1')).toBeUndefined();
  expect(await posts.depth()).toBe(0);
  expect(await posts.findByTask(taskId)).toMatchObject({ id });
});

test('the messages that posts of a thread own are known, and no others', async () => {
  for (const ts of ['2.0', '3.0']) {
    const { id } = await created();
    await posts.claim('one', leaseMs, 'T1');
    await posts.save('one', id, { messages: [message(ts), message(null)], seq: 1 });
  }
  expect((await posts.ownedTs(place)).toSorted()).toEqual(['2.0', '3.0']);
  expect(await posts.ownedTs({ ...place, channel: 'C2' })).toEqual([]);
});

test('a post is removed 90 days after its end', async () => {
  const { id } = await created();
  await created();
  await posts.claim('one', leaseMs, 'T1');
  await posts.finish('one', id);
  expect(await posts.removeOld()).toBe(0);
  await env.postgres.pool.query("update slack_posts set finished_at = now() - interval '91 days' where id = $1", [id]);
  expect(await posts.removeOld()).toBe(1);
  expect(await posts.depth()).toBe(1);
});

test('what a workspace has not shown within a day after Alfred was removed from it is given up', async () => {
  const { id } = await created();
  const end = (hours: number) =>
    env.postgres.pool.query(
      `insert into slack_installations (team, name, state, tenant, bot_id, bot_user_id, installed_by, ended_at)
       values ('T1', 'n', 'ended', 'local', 'B', 'U', 'U', now() - $1 * interval '1 hour')
       on conflict (team) do update set ended_at = excluded.ended_at`,
      [hours],
    );
  await env.postgres.pool.query("update slack_posts set created_at = now() - interval '3 days' where id = $1", [id]);
  await end(23);
  await posts.removeOld();
  expect(await posts.depth()).toBe(1);
  await end(25);
  // Of the workspace with another token, since then.
  await created();
  await posts.removeOld();
  expect(await posts.depth()).toBe(1);
  await env.postgres.pool.query('delete from slack_installations');
});
