import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../../adapters/postgres/conversations/conversation-rows.ts';
import { createSlackPosts } from '../../../../adapters/postgres/slack/slack-posts.ts';
import { createSlackRunResults } from '../../../../adapters/postgres/slack/slack-run-results.ts';
import type { SlackPosts, SlackRunResults } from '../../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
let posts: SlackPosts;
let results: SlackRunResults;
beforeAll(async () => {
  env = await createTestEnvironment();
  posts = createSlackPosts(env.postgres.db);
  results = createSlackRunResults(env.postgres.db);
});
beforeEach(() => env.postgres.pool.query('truncate slack_posts, schedules, tasks cascade'));
afterAll(() => env?.close());

const of = { tenant: 'local', team: 'T1' };
const usual = { onBusy: 'enqueue' as const };

type Run = { tenant?: string; endedAgo?: string | null; erased?: boolean; startedAgo?: string };

/** A run whose task has ended. @returns the task's id */
async function run({ tenant = 'local', endedAgo = '0 s', erased = false, startedAgo = endedAgo ?? '0 s' }: Run = {}) {
  const [schedule, task] = [randomUUID(), randomUUID()];
  await env.postgres.pool.query(
    `insert into schedules (id, tenant, subject, name, timing, action, request_hash)
     values ($1, $2, 'ann', 'Prices', '{}', '{}', 'r')`,
    [schedule, tenant],
  );
  await env.postgres.pool.query(
    `insert into tasks (id, tenant, subject, agent, status, schedule_id, request_hash, input_head, last_seq, ended_at, erased_at)
     values ($1, $2, 'ann', 'knowledge', case when $4::text is null then 'running' else 'completed' end, $3, 'r', 'm', 7,
       now() - $4::interval, case when $5 then now() end)`,
    [task, tenant, schedule, endedAgo, erased],
  );
  await env.postgres.pool.query(
    `insert into schedule_runs (schedule_id, key, task_id, slack_channel, started_at)
     values ($1, 'k', $2, 'C0000001', now() - $3::interval)`,
    [schedule, task, startedAgo],
  );
  return task;
}

test('the answer of a run becomes a post once, also of two processes at once', async () => {
  const taskId = await run();
  const made = await Promise.all([results.collect(of), results.collect(of)]);
  expect(made.reduce((sum, one) => sum + one.posts, 0)).toBe(1);
  expect(await results.collect(of)).toEqual({ posts: 0, late: 0 });
  const place = { team: 'T1', channel: 'C0000001', threadTs: '', userId: '', seq: 7 };
  expect(await posts.findByTask(taskId)).toMatchObject({ ...place, subject: 'ann', agent: 'knowledge' });
  const { questionTs = '' } = (await posts.findByTask(taskId)) ?? {};
  expect(Math.abs(Date.now() / 1_000 - 600 - Number(questionTs))).toBeLessThan(120);
  expect(await results.nameOf({ tenant: 'local', taskId })).toBe('Prices');
  expect(await results.nameOf({ tenant: 'other', taskId })).toBeUndefined();
});

test('a run that has not ended waits, and one of another tenant is left alone', async () => {
  const task = await run({ endedAgo: null });
  await run({ tenant: 'other' });
  expect(await results.collect(of)).toEqual({ posts: 0, late: 0 });
  await env.postgres.pool.query("update tasks set status = 'completed', ended_at = now() where id = $1", [task]);
  expect(await results.collect(of)).toEqual({ posts: 1, late: 0 });
});

test('what ended more than a day ago is counted and not posted; what was erased is not posted', async () => {
  await run({ endedAgo: '25 hours' });
  await run({ erased: true });
  expect(await results.collect(of)).toEqual({ posts: 0, late: 1 });
  expect(await results.collect(of)).toEqual({ posts: 0, late: 0 });
  expect(await posts.depth()).toBe(0);
});

const waiting = async () => {
  const { rows } = await env.postgres.pool.query('select task_id from schedule_runs where slack_channel is not null');
  return rows.map((row) => row.task_id as string).toSorted();
};

test('what no door has posted for a day is given up, of every tenant; what runs or has just ended waits', async () => {
  await run({ endedAgo: '26 hours' });
  for (let n = 0; n < 2; n++) await run({ tenant: 'other', endedAgo: '3 days' });
  const left = [
    await run({ tenant: 'other', endedAgo: '2 hours', startedAgo: '3 days' }),
    await run({ endedAgo: null, startedAgo: '3 days' }),
  ];
  expect(await results.giveUp(1)).toEqual([{ tenant: 'other', count: 1 }]);
  expect(await results.giveUp(100)).toEqual([
    { tenant: 'local', count: 1 },
    { tenant: 'other', count: 1 },
  ]);
  expect(await results.giveUp(100)).toEqual([]);
  expect(await waiting()).toEqual(left.toSorted());
});

test('a run that could not begin is given up after a day, and one whose message waits for its turn is not', async () => {
  const failed = await run({ startedAgo: '26 hours' });
  const queued = await run({ startedAgo: '3 days' });
  const conversations = createConversationRows(env.postgres.db);
  const { id } = await conversations.create({ tenant: 'local', subject: 'ann' }, { agent: 'knowledge' }, usual);
  await env.postgres.pool.query("update schedule_runs set conversation_id = $1, message_id = 'm1' where task_id = $2", [
    id,
    queued,
  ]);
  await env.postgres.pool.query('delete from tasks where id = any($1)', [[failed, queued]]);
  await env.postgres.pool.query(
    `insert into conversation_messages (conversation_id, id, task_id, state, content_hash, request_hash, request)
     values ($1, 'm1', $2, 'queued', 'h', 'h', '{}')`,
    [id, queued],
  );
  expect(await results.giveUp(100)).toEqual([{ tenant: 'local', count: 1 }]);
  expect(await waiting()).toEqual([queued]);
});
