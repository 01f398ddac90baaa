import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createConversationRows } from '../../../../adapters/postgres/conversations/conversation-rows.ts';
import { createSlackNotifications } from '../../../../adapters/postgres/slack/slack-notifications.ts';
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
beforeEach(() =>
  env.postgres.pool.query('truncate slack_posts, slack_notifications, schedules, tasks, conversations cascade'),
);
afterAll(() => env?.close());

test('of the Slack users that are linked with a person those count whose sign-in is new enough', async () => {
  await query(`
    insert into slack_links (team, user_id, tenant, subject, linked_at, made_by) values
      ('T1', 'U1', 'local', 'ann', now() - interval '40 days', 'sign_in'),
      ('T1', 'U2', 'local', 'ann', now() - interval '20 days', 'sign_in'),
      ('T2', 'U3', 'local', 'ann', now(), 'sign_in'), ('T1', 'U4', 'acme', 'ann', now(), 'sign_in')`);
  const users = (maxAgeDays: number) => results.slackUsersOf({ ...of, subject: 'ann' }, maxAgeDays);
  expect([await users(30), (await users(50)).toSorted()]).toEqual([['U2'], ['U1', 'U2']]);
  await query(`
    insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
    values ('local', 'ann', 'person', '{}', now(), now())`);
  expect((await users(30)).toSorted()).toEqual(['U1', 'U2']);
});

const of = { tenant: 'local', team: 'T1' };
const usual = { onBusy: 'enqueue' as const };

type Run = {
  tenant?: string;
  endedAgo?: string | null;
  erased?: boolean;
  /** Why it could not begin: then it has no task. */
  error?: string;
  startedAgo?: string;
};

const query = (text: string, values: unknown[] = []) => env.postgres.pool.query(text, values);

async function addTask(schedule: string, { tenant = 'local', endedAgo = '0 s', erased = false }: Run = {}) {
  const id = randomUUID();
  await query(
    `insert into tasks (id, tenant, subject, agent, status, schedule_id, request_hash, input_head, last_seq, ended_at, erased_at)
     values ($1, $2, 'ann', 'knowledge', case when $4::text is null then 'running' else 'completed' end, $3, 'r', 'm', 7,
       now() - $4::interval, case when $5 then now() end)`,
    [id, tenant, schedule, endedAgo, erased],
  );
  return id;
}
async function addSchedule(tenant = 'local') {
  const id = randomUUID();
  await query(
    `insert into schedules (id, tenant, subject, name, timing, action, request_hash)
     values ($1, $2, 'ann', 'Prices', '{}', '{}', 'r')`,
    [id, tenant],
  );
  return id;
}

/** A run whose task has ended. @returns the task's id */
async function run({ error, ...task }: Run = {}) {
  const startedAgo = task.startedAgo ?? task.endedAgo ?? '0 s';
  const schedule = await addSchedule(task.tenant);
  const taskId = error === undefined ? await addTask(schedule, task) : randomUUID();
  await query(
    `insert into schedule_runs (schedule_id, key, task_id, slack_channel, error_code, started_at)
     values ($1, 'k', $2, 'C0000001', $3, now() - $4::interval)`,
    [schedule, error === undefined ? taskId : null, error ?? null, startedAgo],
  );
  return taskId;
}

/**
 * A run whose message came while a task was running.
 *
 * @returns `running`: that task; `own`: the one that the message has where it was not taken by that
 */
async function messageRun(state: string, { startedAgo = '0 s' } = {}) {
  const schedule = await addSchedule();
  const [running, own] = [await addTask(schedule, { endedAgo: '0 s' }), randomUUID()];
  await query(
    `insert into conversations (id, tenant, subject, agent, on_busy, request_hash)
     values ($1, 'local', 'ann', 'knowledge', 'steer', 'r')`,
    [schedule],
  );
  await query(
    `insert into conversation_messages
       (conversation_id, id, content_hash, request, request_hash, task_id, state, outcome, position, running_task_id)
     values ($1, 'k', 'c', '{}', 'r', $2, $3, 'steered', 1, $4)`,
    [schedule, own, state, running],
  );
  await query(
    `insert into schedule_runs (schedule_id, key, task_id, conversation_id, message_id, slack_channel, started_at)
     values ($1, 'k', $2, $4, 'k', 'C0000001', now() - $3::interval)`,
    [schedule, running, startedAgo, schedule],
  );
  return { schedule, running, own };
}
const openRuns = async () => (await query('select from schedule_runs where slack_channel is not null')).rows.length;
const nothing = { posts: 0, elsewhere: 0, quiet: 0 };

test('the answer of a run becomes a post once, also of two processes at once', async () => {
  const taskId = await run();
  const made = await Promise.all([results.collect(of), results.collect(of)]);
  expect(made.reduce((sum, one) => sum + one.posts, 0)).toBe(1);
  expect(await results.collect(of)).toEqual(nothing);
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
  expect(await results.collect(of)).toEqual(nothing);
  await query("update tasks set status = 'completed', ended_at = now() where id = $1", [task]);
  expect(await results.collect(of)).toEqual({ posts: 1, elsewhere: 0, quiet: 0 });
});

test('what was erased is not posted', async () => {
  await run({ erased: true });
  expect(await results.collect(of)).toEqual(nothing);
  expect(await openRuns()).toBe(0);
});

test('a message that another task has taken into its answer posts nothing, and is counted', async () => {
  const { running } = await messageRun('steered');
  expect(await results.collect(of)).toEqual({ posts: 0, elsewhere: 1, quiet: 0 });
  expect(await posts.findByTask(running)).toBeUndefined();
  expect(await openRuns()).toBe(0);
});

test('a message that waited for a task until its end posts the answer of its own one', async () => {
  const { schedule, running, own } = await messageRun('steering');
  expect(await results.collect(of)).toEqual(nothing);
  await query("update conversation_messages set state = 'done'");
  await query(
    `insert into tasks (id, tenant, subject, agent, status, schedule_id, request_hash, input_head, last_seq, ended_at)
     values ($1, 'local', 'ann', 'knowledge', 'completed', $2, 'r', 'm', 7, now())`,
    [own, schedule],
  );
  expect(await results.collect(of)).toEqual({ posts: 1, elsewhere: 0, quiet: 0 });
  expect(await posts.findByTask(own)).toMatchObject({ threadTs: '' });
  expect(await posts.findByTask(running)).toBeUndefined();
});

test.each(['passed_over', 'rolled_back', 'dropped'])('a message that is %s posts nothing', async (state) => {
  await messageRun(state);
  expect(await results.collect(of)).toEqual(nothing);
  expect(await openRuns()).toBe(0);
});

test('an answer that a thread shows already is counted', async () => {
  const taskId = await run();
  await query(
    `insert into slack_posts (id, task_id, tenant, subject, agent, team, channel, thread_ts, user_id, question_ts)
     values (gen_random_uuid(), $1, 'local', 'ann', 'knowledge', 'T1', 'C1', '1.0', 'U1', '1.0')`,
    [taskId],
  );
  expect(await results.collect(of)).toEqual({ posts: 0, elsewhere: 1, quiet: 0 });
});

test('a run that could not begin becomes a notification once, also of two processes at once', async () => {
  await run({ error: 'unknown_agent' });
  await run({ error: 'unknown_agent', tenant: 'other' });
  await Promise.all([results.collect(of), results.collect(of)]);
  expect(await results.collect(of)).toEqual(nothing);
  const { rows } = await query('select id, kind, team, channel from slack_notifications');
  expect(rows).toEqual([{ id: expect.any(String), kind: 'run', team: 'T1', channel: 'C0000001' }]);
  const notifications = createSlackNotifications(env.postgres.db);
  expect(await notifications.runOf({ id: rows[0].id, tenant: 'local' })).toEqual({
    name: 'Prices',
    subject: 'ann',
    code: 'unknown_agent',
  });
  expect(await notifications.runOf({ id: rows[0].id, tenant: 'other' })).toBeUndefined();
});

test('what was due for a day is given up, of any tenant; what still runs or waits is not', async () => {
  await run({ startedAgo: '2 days', endedAgo: '26 hours' });
  await run({ startedAgo: '2 days', endedAgo: '26 hours', tenant: 'other' });
  await run({ startedAgo: '2 days', error: 'unknown_agent' });
  await run({ startedAgo: '2 days', endedAgo: null });
  await run({ startedAgo: '2 days', endedAgo: '1 hour', tenant: 'other' });
  await run({ startedAgo: '1 hour', error: 'unknown_agent', tenant: 'other' });
  await messageRun('queued', { startedAgo: '2 days' });
  expect(await results.collect(of)).toEqual(nothing);
  expect(await results.giveUp(100)).toEqual([
    { tenant: 'local', count: 2 },
    { tenant: 'other', count: 1 },
  ]);
  expect(await results.giveUp(100)).toEqual([]);
  expect(await openRuns()).toBe(4);
  expect(await posts.depth()).toBe(0);
});

test('a message that a task left waits for its own task, however long ago that one ended', async () => {
  const { schedule, own, running } = await messageRun('queued', { startedAgo: '2 days' });
  await query(
    `insert into tasks (id, tenant, subject, agent, status, schedule_id, request_hash, input_head, last_seq)
     values ($1, 'local', 'ann', 'knowledge', 'waiting', $2, 'r', 'm', 7)`,
    [own, schedule],
  );
  await query("update tasks set ended_at = now() - interval '26 hours' where id = $1", [running]);
  await query("update conversation_messages set state = 'running'");
  expect(await results.giveUp(100)).toEqual([]);
  expect(await openRuns()).toBe(1);
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
