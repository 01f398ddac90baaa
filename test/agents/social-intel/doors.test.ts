import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agents } from '../../../agents/index.ts';
import { agentQueue } from '../../../contract/ids.ts';
import { ScheduleRequest } from '../../../contract/schedule.ts';
import { startApi } from '../../api/api-harness.ts';
import { alfred } from '../../cli/run-alfred.ts';
import { createSlackHarness, type SlackHarness } from '../../slack/slack-harness.ts';
import { startFakeSocial, type FakeSocial } from '../../support/fakes/fake-social.ts';
import { person } from '../../support/principals.ts';
import { until } from '../../support/until.ts';

let fake: FakeSocial;
let env: SlackHarness;
let api: Awaited<ReturnType<typeof startApi>>;
beforeAll(async () => {
  fake = await startFakeSocial();
  const settings = {
    ...fake.settings,
    SOCIAL_CACHE_S: '0',
    ALFRED_MODEL: 'offline:quote',
    SLACK_AGENT: 'social-intel',
  };
  env = await createSlackHarness(settings, { rateLimits: false }, { agents, queues: [agentQueue('social-intel')] });
  for (const name of agents['social-intel']?.tools ?? []) env.useBuiltInTool(name);
  api = await startApi({ ...env, tasks: env.taskRows });
  publish('Acme launches its rocket', { points: 120 });
  publish('Acme rocket is a great success', { points: 80 });
  for (let n = 1; n <= 9; n++)
    fake.videos.push({
      id: `v${n}`,
      title: n < 4 ? `How to brew coffee: ${n} ways` : `A coffee morning, ${'x'.repeat(n)}`,
      channel: n < 4 ? 'Brewer' : 'Talker',
      publishedAt: ago(10),
      views: n < 4 ? 90_000 : 900,
    });
  fake.setTotalVideos(300);
});
afterAll(async () => {
  await api?.app.close();
  await env?.close();
  await fake?.close();
});

const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const publish = (title: string, more: object = {}) =>
  fake.stories.push({ id: String(fake.stories.length + 1), title, at: ago(1), author: 'ada', ...more });

/** Each typed request, the same in words, and what both answer. */
const requests: [intent: string, fields: object, words: string, answer: RegExp][] = [
  ['TREND_ANALYSIS', { topic: 'acme' }, 'Trends about Acme', /2 items, 0 in the 7 days before: new/],
  ['SENTIMENT_ANALYSIS', { topic: 'acme', days: 30 }, 'Sentiment about Acme', /2 items scored: 1 positive \(50 %\)/],
  ['SOCIAL_MONITOR', { topic: 'acme', name: 'acme' }, 'Anything new about Acme?', /2 items known from now on/],
  [
    'YOUTUBE_NICHE_SCOUT',
    { niches: ['coffee'], cpmUsd: 10 },
    'Score the niche coffee at $10',
    // The median video has 90 views a day, and 10 videos come a day.
    /coffee.{0,6}: score 0\.09\b/,
  ],
  ['YOUTUBE_BLUEPRINT', { niche: 'coffee' }, 'Blueprint for coffee', /how to: 100 %; 0 %/],
];

test.each(requests)('%s is answered over HTTP, without a model and without cost', async (intent, fields, _, answer) => {
  const { status, body } = await api.http.post('/v1/tasks', { agent: 'social-intel', input: { intent, ...fields } });
  expect(status).toBe(202);
  await env.followToEnd(body.id);
  const { body: task } = await api.http.get(`/v1/tasks/${body.id}`);
  expect(task).toMatchObject({ status: 'completed', usage: { costUsd: 0 }, result: { data: expect.anything() } });
  expect(task.result.text).toMatch(answer);
});

test.each(requests)('%s is answered in words in Slack', async (_, __, words, answer) => {
  const user = env.slack.addUser({ name: `person${fake.requests.length}` });
  const { id: channel } = env.slack.directMessage(user);
  const { ts } = env.slack.say(user, channel, words);
  const [shown] = await env.answersIn(channel, ts);
  expect(shown?.shown).toMatch(answer);
});

test('typed requests are answered on the command line', async () => {
  const at = { ALFRED_URL: api.url, NO_COLOR: '1' };
  const [intent, fields, , answer] = requests[0]!;
  const input = JSON.stringify({ intent, ...fields });
  const { code, stdout, stderr } = await alfred(['ask', '--agent', 'social-intel', '--input', input], at);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
  expect(stdout).toMatch(answer);
  expect(await env.metrics.registry.metrics()).toMatch(
    /social_requests_total\{source="hackernews",outcome="ok"\} [1-9]/,
  );
});

test('a request over HTTP that does not fit names what is wrong', async () => {
  const { status, body } = await api.http.post('/v1/tasks', {
    agent: 'social-intel',
    input: { intent: 'TREND_ANALYSIS', topic: 'x', days: 4_000 },
  });
  expect(status).toBe(422);
  expect(JSON.stringify(body)).toContain('days');
});

test('a schedule of a monitor posts its baseline, nothing while nothing is new, and then what is new, once', async () => {
  const { id: channel } = env.slack.addChannel({ name: 'news' });
  const request = ScheduleRequest.parse({
    name: 'News about Zeta',
    timing: { everyS: 86_400, overlap: 'allow_all' },
    action: {
      task: { agent: 'social-intel', input: { intent: 'SOCIAL_MONITOR', topic: 'zeta', name: 'zeta' } },
      notify: { slack: { channel } },
    },
  });
  const owner = person('watcher');
  const { id } = await env.control.schedules.create(owner, request, {});
  const runs = async () =>
    (
      await env.postgres.pool.query(
        `select r.slack_channel, t.status from schedule_runs r join tasks t on t.id = r.task_id where r.schedule_id = $1`,
        [id],
      )
    ).rows;
  /** Runs it, and waits until the Slack door has decided about its answer and posted it. */
  const run = async (count: number) => {
    await env.control.schedules.trigger(owner, id);
    await until(`run ${count} is over`, async () => {
      const over = (await runs()).filter((row) => row.slack_channel === null && row.status === 'completed');
      return over.length === count && (await env.slackPosts.depth()) === 0;
    });
    return env.slack.view({ id: channel }).filter(({ fromApp }) => fromApp);
  };
  publish('Zeta begins');
  expect(await run(1)).toHaveLength(1);
  expect(await run(2)).toHaveLength(1);
  publish('Zeta grows');
  const posts = await run(3);
  expect(posts).toHaveLength(2);
  expect(posts[1]?.shown).toMatch(/News about Zeta[^]*1 new item[^]*Zeta grows/);
  expect(posts[1]?.shown).not.toContain('Zeta begins');
  expect(await run(4)).toHaveLength(2);
  expect(await env.metrics.registry.metrics()).toMatch(
    /slack_notifications_total\{[^}]*kind="run",outcome="quiet"[^}]*\} 2/,
  );
  await env.control.schedules.delete(owner, id);
});
