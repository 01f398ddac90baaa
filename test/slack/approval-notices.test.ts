import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { reopen } from '../../adapters/postgres/tasks/reopen.ts';
import { createSlackNotifications } from '../../adapters/postgres/slack/slack-notifications.ts';
import { testAgentName } from '../../contract/ids.ts';
import { createFakeSlack } from '../../deploy/slack/fake/fake-slack.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { until } from '../support/until.ts';
import { createAlertsStage, type AlertsStage } from './alerts-stage.ts';
import { killAt } from './posting/posting-stage.ts';

let env: TestEnvironment;
let stage: AlertsStage;
const slack = createFakeSlack({ rateLimits: false });
beforeAll(async () => {
  await slack.start();
  env = await createTestEnvironment();
});
afterAll(async () => {
  await env?.close();
  await slack.stop();
});
beforeEach(() => {
  const { postgres } = env;
  stage = createAlertsStage({ slack, postgres, slackNotifications: createSlackNotifications(postgres.db) });
});
afterEach(async () => {
  await stage?.stop();
  await stage?.clear();
});

const rule = { approvers: { roles: ['boss'] }, escalateTo: { subjects: ['ceo'] }, fourEyes: true, onExpiry: 'deny' };

/** A call that waits for a person. */
async function ask({ tenant = 'local', agent = 'knowledge' } = {}) {
  const [id, taskId] = [randomUUID(), randomUUID()];
  await stage.query(
    `insert into tasks (id, tenant, subject, agent, status, request_hash, input_head, last_seq, run_id)
     values ($1, $2, 'alerts', $3, 'running', 'r', 'm', 1, 'run-1')`,
    [taskId, tenant, agent],
  );
  await stage.query(
    `insert into approvals (id, task_id, tenant, subject, agent, step, call_id, tool, arguments, arguments_hash, rule,
       expires_at)
     values ($1, $2, $3, 'alerts', $5, 1, 'call', 'send_mail', '{"text": "The secret plan"}', 'h', $4,
       now() + interval '1 day')`,
    [id, taskId, tenant, JSON.stringify(rule), agent],
  );
  return { id, taskId };
}
const decide = (id: string, runs = true) =>
  stage.query(
    `update approvals set status = $2, decided_at = now(), decided_by = 'ben', decided_hash = $3 where id = $1`,
    [id, runs ? 'approved' : 'denied', runs ? 'h' : null],
  );
const start = (tap?: Parameters<AlertsStage['startDoor']>[0]) => stage.startDoor(tap, { about: 'approvals' });
const shows = (words: string, count = 1) =>
  until(`“${words}” in the channel`, () => {
    const alerts = stage.alerts();
    return alerts.filter(({ shown }) => shown.includes(words)).length === count && alerts;
  });

test('what waits is posted with who may decide and where, without its arguments; then with the outcome', async () => {
  const { id, taskId } = await ask();
  start();
  const [notice] = await shows('send mail* waits for an approval');
  for (const part of ['anybody with the role boss', 'and not by who asked', `alfred approvals show ${id}`, taskId])
    expect(JSON.stringify(notice?.blocks)).toContain(part);
  await decide(id);
  const [outcome, ...others] = await shows('was approved by ben');
  expect(others).toEqual([]);
  expect(outcome?.ts).toBe(notice?.ts);
  expect(JSON.stringify(outcome?.versions)).not.toContain('secret plan');
  await stage.settled();
});

test('what a test of an agent asks for is not posted', async () => {
  const collect = () => createSlackNotifications(env.postgres.db).collectApprovals(stage.target);
  await ask({ agent: testAgentName('knowledge', 'a1b2c30') });
  expect(await collect()).toBe(0);
  await ask();
  expect(await collect()).toBe(1);
});

test('an escalation is a message of its own, and both show the outcome', async () => {
  const { id } = await ask();
  start();
  await shows('waits for an approval');
  await stage.query('update approvals set escalated_at = now() where id = $1', [id]);
  await shows('is escalated');
  expect(stage.alerts().at(-1)?.shown).toContain('ceo, anybody with the role boss');
  await decide(id, false);
  expect(await shows('was denied by ben', 2)).toHaveLength(2);
});

test.each(['waits for an approval', 'is escalated'])(
  'of a task that had ended and is reset a call that %s is posted again, and then its outcome',
  async (words) => {
    const { id, taskId } = await ask();
    if (words === 'is escalated') await stage.query('update approvals set escalated_at = now() where id = $1', [id]);
    start();
    await shows(words);
    await stage.query(`update tasks set status = 'failed', ended_at = now() where id = $1`, [taskId]);
    await stage.query(`update approvals set status = 'withdrawn' where id = $1`, [id]);
    await shows('does not wait any more: its task has ended, or goes on without this call');
    await stage.settled();
    const task = { tenant: 'local', subject: 'alerts', agent: 'knowledge', taskId };
    expect(await reopen(env.postgres.db, task, { runId: 'run-2' })).toBe(true);
    await shows(words);
    expect(stage.alerts()).toHaveLength(2);
    await decide(id);
    expect((await shows('was approved by ben')).at(-1)?.shown).toContain('was approved by ben');
    await stage.settled();
    expect(stage.alerts()).toHaveLength(2);
  },
);

test('many are one message after the tenth in an hour, and the next ones wait', async () => {
  const collect = () => createSlackNotifications(env.postgres.db).collectApprovals(stage.target);
  const asked = await Promise.all(Array.from({ length: 40 }, () => ask()));
  expect(await collect()).toBe(10);
  expect(await collect()).toBe(30);
  const late = await ask();
  expect(await collect()).toBe(0);
  start();
  const notice = (await shows('30 more calls wait')).find(({ shown }) => shown.includes('30 more calls wait'));
  expect(notice?.shown).toContain('and 20 more');
  await shows('waits for an approval', 10);
  await stage.query("update slack_notifications set created_at = created_at - interval '1 minute'");
  expect(JSON.stringify(await shows('waits for an approval', 11))).toContain(late.id);
  await stage.query(
    `update approvals set status = 'denied', decided_at = now(), decided_by = 'ben' where id = any($1)`,
    [asked.map(({ id }) => id)],
  );
  await shows('None of these 30 calls waits for an approval any more');
});

test('what waits is not given up while it waits, and is posted when the channel takes it', async () => {
  const archived = slack.addChannel({ name: 'archived' });
  slack.archive(archived);
  const { id } = await ask();
  const late = await ask();
  const door = stage.startDoor(undefined, { about: 'approvals', channelId: archived.id });
  const attempt = async () => {
    const before = stage.counted.length;
    await stage.query(
      "update slack_notifications set due_at = now(), changed_at = now() - interval '25 hours' where finished_at is null",
    );
    await until('another attempt', () => stage.counted.length > before);
  };
  await until('both were tried', () => stage.counted.length >= 2);
  await attempt();
  await attempt();
  expect(stage.counted).not.toContain('approval given_up');
  await decide(late.id);
  await attempt();
  await until('the one that is decided is given up', () => stage.counted.includes('approval given_up'));
  await door.stop();
  expect(stage.logs.filter(({ level }) => level === 'error')).toHaveLength(1);
  await stage.passLeases();
  stage.startDoor(undefined, { about: 'approvals' });
  await shows(`waits for an approval`);
  expect(JSON.stringify(stage.alerts())).toContain(id);
});

test('without a door what was shown is removed a week after it waits no more, and nothing before', async () => {
  const rows = createSlackNotifications(env.postgres.db);
  const { id } = await ask();
  start();
  await shows('waits for an approval');
  await until('it is parked', async () => {
    const { rows: parked } = await stage.query("select from slack_notifications where due_at = 'infinity'");
    return parked.length > 0;
  });
  await stage.stop();
  await stage.query(
    "update slack_notifications set created_at = now() - interval '9 days', changed_at = now() - interval '8 days'",
  );
  expect(await rows.removeOld()).toBe(0);
  await decide(id);
  expect(await rows.removeOld()).toBe(1);
});

test('what is made due again after long is not removed before it is shown', async () => {
  const rows = createSlackNotifications(env.postgres.db);
  const { id } = await ask();
  start();
  await shows('waits for an approval');
  await stage.stop();
  await stage.query(
    "update slack_notifications set created_at = now() - interval '9 days', changed_at = now() - interval '8 days'",
  );
  await decide(id);
  await rows.collectApprovals(stage.target);
  expect(await rows.removeOld()).toBe(0);
});

test('two processes at once post each call that waits once', async () => {
  start();
  start();
  const asked = await Promise.all(Array.from({ length: 5 }, () => ask()));
  await shows('waits for an approval', 5);
  await Promise.all(asked.map(({ id }) => decide(id)));
  await shows('was approved by ben', 5);
  await stage.settled();
  expect(stage.alerts()).toHaveLength(5);
});

test('a task of another tenant, and one that a thread of Slack shows, are not posted until nothing shows it', async () => {
  const inSlack = await ask();
  await ask({ tenant: 'other' });
  await stage.query(
    `insert into slack_posts (id, task_id, tenant, subject, agent, team, channel, thread_ts, user_id, question_ts)
     values (gen_random_uuid(), $1, 'local', 'alerts', 'knowledge', 'T1', 'C1', '1.0', 'U1', '1.0')`,
    [inSlack.taskId],
  );
  const rows = createSlackNotifications(env.postgres.db);
  expect(await rows.collectApprovals(stage.target)).toBe(0);
  // It was closed, or the task had ended and was reset.
  await stage.query('update slack_posts set finished_at = now() where task_id = $1', [inSlack.taskId]);
  expect(await rows.collectApprovals(stage.target)).toBe(1);
});

test.each(['before', 'after'] as const)(
  'a process that is killed %s any call or change of a row leaves one message, with the outcome',
  async (when) => {
    const killed: string[] = [];
    for (let at = 0; at < 30; at++) {
      const kill = killAt(/^(?!poll)/, at, when);
      const { id } = await ask();
      start(kill.tap);
      const isDead = () => kill.killed() !== undefined;
      await until(
        'it is shown, or the process is killed',
        () => isDead() || stage.alerts().at(-1)?.shown.includes('waits'),
      );
      await decide(id);
      await until('it is killed, or over', async () => {
        const { rows } = await stage.query('select from slack_notifications where finished_at is not null');
        return isDead() || rows.length > 0;
      });
      const step = kill.killed();
      if (step === undefined) break;
      killed.push(step);
      stage.forgetDoors();
      await stage.query("update slack_notifications set leased_until = now() - interval '1 s'");
      start();
      await stage.settled();
      expect({ at, step, shown: stage.alerts().length }).toEqual({ at, step, shown: killed.length });
      expect(stage.alerts().at(-1)?.shown).toContain('was approved by ben');
      await stage.stop();
      await stage.clear();
    }
    expect(killed).toEqual(expect.arrayContaining(['claim', 'save', 'chat.postMessage', 'finish']));
  },
);
