import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { testAgentName } from '../../contract/ids.ts';
import { until, untilPasses } from '../support/until.ts';
import { createAlertsStage, type AlertsStage } from './alerts-stage.ts';
import { killAt } from './posting/posting-stage.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let stage: AlertsStage;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
});
afterAll(() => env?.close());
beforeEach(() => {
  stage = createAlertsStage(env);
});
afterEach(async () => {
  await stage?.stop();
  await stage?.clear();
});

test('a task that has failed is posted: agent, code and meaning, link, what to do; and no content', async () => {
  const [id] = await stage.fail();
  stage.startDoor();
  await stage.settled();
  const [alert, ...others] = stage.alerts();
  expect(others).toEqual([]);
  for (const part of [
    'A task has failed',
    'knowledge',
    'model_auth',
    'The model provider refused our key, our account or the model.',
    `https://alfred.example.com/v1/tasks/${id}`,
    `alfred replay ${id}`,
  ])
    expect(JSON.stringify(alert?.blocks)).toContain(part);
  expect(JSON.stringify(alert)).not.toContain('secret plan');
  expect(alert?.threadTs).toBeUndefined();
  await stage.stop();
  expect(stage.counted).toEqual(['failures shown']);
});

test('of a task of a test of an agent nothing is posted', async () => {
  await stage.fail(1, { agent: testAgentName('knowledge', 'a1b2c30') });
  expect(await env.slackNotifications.collectFailures(stage.target)).toBe(0);
  await stage.fail();
  expect(await env.slackNotifications.collectFailures(stage.target)).toBe(1);
});

test.each(['before', 'after'] as const)(
  'a process that is killed %s any call or change of a row leaves one message',
  async (when) => {
    const killed: string[] = [];
    for (let at = 0; at < 30; at++) {
      const kill = killAt(/^(?!poll)/, at, when);
      const [id] = await stage.fail();
      stage.startDoor(kill.tap);
      await until('the process is killed, or has ended its work', async () => {
        const { rows } = await stage.query('select from slack_notifications where finished_at is not null');
        return kill.killed() !== undefined || rows.length > 0;
      });
      const step = kill.killed();
      if (step === undefined) break;
      killed.push(step);
      stage.forgetDoors();
      await stage.passLeases();
      stage.startDoor();
      await stage.settled();
      const named = stage.alerts().filter(({ blocks }) => JSON.stringify(blocks).includes(String(id)));
      expect({ at, step, named: named.length }).toEqual({ at, step, named: 1 });
      await stage.stop();
      await stage.clear();
    }
    expect(killed).toEqual(expect.arrayContaining(['claim', 'save', 'chat.postMessage', 'finish']));
  },
);

test('of a call whose answer is lost the message is found again', async () => {
  await stage.fail();
  env.slack.faults.loseAnswer('chat.postMessage', 1);
  stage.startDoor();
  await until('it is put back', () => stage.counted.includes('failures retried'));
  await stage.passLeases();
  await stage.settled();
  expect(stage.alerts()).toHaveLength(1);
  await stage.stop();
  expect(stage.counted).toEqual(['failures retried', 'failures shown']);
});

test('two processes at once post each failure once', async () => {
  stage.startDoor();
  stage.startDoor();
  for (let round = 0; round < 5; round++) {
    const ids = await stage.fail(4);
    await until('each is posted', () => {
      const shown = JSON.stringify(stage.alerts());
      return ids.every((id) => shown.includes(id));
    });
    for (const id of ids)
      expect(stage.alerts().filter(({ blocks }) => JSON.stringify(blocks).includes(id))).toHaveLength(1);
    await stage.query("update slack_notifications set created_at = created_at - interval '2 hours'");
  }
  expect(stage.alerts()).toHaveLength(5);
});

test('many failures are one message, with the number for each code and a few links', async () => {
  await stage.fail(150);
  await stage.fail(50, { code: 'tool_failed' });
  stage.startDoor();
  await stage.settled();
  const [alert, ...others] = stage.alerts();
  expect(others).toEqual([]);
  expect(alert?.shown).toContain('200 tasks have failed');
  expect(alert?.shown).toMatch(/model_auth.*\(150\)[^]*and 145 more[^]*tool_failed.*\(50\)[^]*and 45 more/);
  expect(JSON.stringify(alert?.blocks).match(/alfred replay [0-9a-f]{8}/g)).toHaveLength(10);
});

test('while failures go on, the next message waits, the longer the more there were', async () => {
  const { slackNotifications: rows } = env;
  const pass = (minutes: number) =>
    stage.query('update slack_notifications set created_at = created_at - make_interval(mins => $1)', [minutes]);
  const finish = () => stage.query('update slack_notifications set finished_at = now()');
  const waited: number[] = [];
  for (let round = 0; round < 5; round++) {
    await stage.fail();
    let minutes = 0;
    while ((await rows.collectFailures(stage.target)) === 0 && minutes < 30) {
      await pass(1);
      minutes++;
    }
    waited.push(minutes);
    await finish();
  }
  expect(waited).toEqual([0, 1, 2, 4, 8]);
});

test('a channel that takes nothing is named, and gets one message of all failures when it does', async () => {
  const { slack } = env;
  const closed = slack.addChannel({ name: 'closed', withApp: false });
  const first = await stage.fail();
  const door = stage.startDoor(undefined, { channelId: closed.id });
  const other = stage.startDoor(undefined, { channelId: closed.id });
  for (const one of [door, other])
    await untilPasses('the problem is named, by each process', async () =>
      expect(await one.problem()).toContain('this channel (not_in_channel): write /invite @Alfred'),
    );
  expect(await door.problem()).not.toContain(closed.id);
  await other.stop();
  const second = await stage.fail();
  await until('the second waits with the first', async () => {
    const { rows } = await stage.query('select from slack_notification_causes');
    return rows.length === 2;
  });
  slack.invite(closed, slack.workspace.botUserId);
  await stage.passLeases();
  await stage.settled();
  const shown = slack.view(closed).filter(({ fromApp }) => fromApp);
  expect(shown).toHaveLength(1);
  for (const id of [...first, ...second]) expect(JSON.stringify(shown[0]?.blocks)).toContain(id);
  for (const one of [door, other]) expect(await one.problem()).toBeUndefined();
});

test('a channel that is shared with another organisation gets nothing, and is named', async () => {
  const shared = env.slack.addChannel({ name: 'shared', external: true });
  await stage.fail();
  const door = stage.startDoor(undefined, { channelId: shared.id });
  await untilPasses('the problem is named', async () =>
    expect(await door.problem()).toContain('shared with another organisation'),
  );
  expect(env.slack.view(shared)).toEqual([]);
});

test('what cannot be posted for a day is given up with a line in the log', async () => {
  const { slack } = env;
  const archived = slack.addChannel({ name: 'archived' });
  slack.archive(archived);
  const [old] = await stage.fail();
  stage.startDoor(undefined, { channelId: archived.id });
  await until('it is put back', () => stage.counted.includes('failures retried'));
  await stage.query("update tasks set ended_at = now() - interval '25 hours' where id = $1", [old]);
  await stage.passLeases();
  await until('it is given up', () => stage.counted.includes('failures given_up'));
  expect(stage.logs).toContainEqual(
    expect.objectContaining({ level: 'error', code: 'is_archived', lost: 1, channel: archived.id }),
  );
  await stage.settled();
  expect(JSON.stringify(stage.logs)).not.toContain('secret plan');
});

test('what is given up when the process stops is in the log too', async () => {
  const [reached, stopping] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [id] = await stage.fail();
  stage.startDoor(async (name, act) => {
    if (name !== 'chat.postMessage') return act();
    reached.resolve();
    await stopping.promise;
    throw new Error('the connection ends');
  });
  await reached.promise;
  await stage.query("update tasks set ended_at = now() - interval '25 hours' where id = $1", [id]);
  const stopped = stage.stop();
  stopping.resolve();
  await stopped;
  expect(stage.logs).toContainEqual(expect.objectContaining({ level: 'error', lost: 1, kind: 'failures' }));
  expect(stage.counted).toEqual(['failures given_up']);
});

test('what is not to be posted: other tenants, erased tasks, what never started, what failed long ago', async () => {
  const { slackNotifications: rows } = env;
  await stage.fail(1, { tenant: 'other' });
  await stage.fail(1, { erased: true });
  await stage.fail(1, { code: 'never_started' });
  await stage.fail(1, { agoS: 25 * 3_600 });
  expect(await rows.collectFailures(stage.target)).toBe(0);
  const [id] = await stage.fail();
  expect(await rows.collectFailures(stage.target)).toBe(1);
  expect(await rows.collectFailures(stage.target)).toBe(0);
  // It was reset, and has failed again.
  await stage.query("update tasks set run_id = 'run-2', ended_at = now() where id = $1", [id]);
  expect(await rows.collectFailures(stage.target)).toBe(1);
});

test('rows of a week ago are removed, with what they name', async () => {
  const { slackNotifications: rows } = env;
  await stage.fail();
  await rows.collectFailures(stage.target);
  expect(await rows.removeOld()).toBe(0);
  await stage.query("update slack_notifications set created_at = now() - interval '8 days'");
  expect(await rows.removeOld()).toBe(0);
  await stage.query('update slack_notifications set changed_at = created_at');
  expect(await rows.removeOld()).toBe(1);
  expect((await stage.query('select from slack_notification_causes')).rows).toEqual([]);
});

test('the door posts what has failed in SLACK_ALERTS_CHANNEL, with links to ALFRED_PUBLIC_URL', async () => {
  const config = {
    ...env.config,
    SLACK_ALERTS_CHANNEL: stage.channel.id,
    ALFRED_PUBLIC_URL: 'https://alfred.example.com',
  };
  await env.startBot({ config });
  env.script([{ error: new AlfredError('model_auth') }]);
  const { id } = await env.start();
  await env.followToEnd(id);
  const [alert] = await until('the alert', () => (stage.alerts().length > 0 ? stage.alerts() : undefined));
  expect(JSON.stringify(alert?.blocks)).toContain(`https://alfred.example.com/v1/tasks/${id}`);
  await untilPasses('it is counted', async () =>
    expect(await env.metrics.registry.metrics()).toMatch(
      /slack_notifications_total\{[^}]*kind="failures",outcome="shown"[^}]*\} 1/,
    ),
  );
});
