import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
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

type Run = { tenant?: string; endedAgo?: string | null; erased?: boolean };

/** A run whose task has ended. @returns the task's id */
async function run({ tenant = 'local', endedAgo = '0 s', erased = false }: Run = {}) {
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
    `insert into schedule_runs (schedule_id, key, task_id, slack_channel) values ($1, 'k', $2, 'C0000001')`,
    [schedule, task],
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
