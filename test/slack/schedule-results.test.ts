import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { ScheduleRequest } from '../../contract/schedule.ts';
import { person } from '../support/principals.ts';
import { until, untilPasses } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let channel: { id: string };
let count = 0;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
});
afterAll(() => env?.close());
beforeEach(() => {
  channel = env.slack.addChannel({ name: `results${++count}` });
});

const query = (text: string, values: unknown[] = []) => env.postgres.pool.query(text, values);
/** Nothing is left to be posted. */
const settled = () =>
  until('each notification is posted', async () => {
    const { rows } = await query('select from slack_notifications where finished_at is null');
    return rows.length === 0;
  });

/** Runs a schedule of a person once, whose answers are for a channel. */
async function runSchedule(subject: string, channel: { id: string }, message?: object) {
  const work = message ? { message } : { task: { input: { text: 'What is the price?' } } };
  const request = ScheduleRequest.parse({
    name: 'Prices of the week',
    timing: { everyS: 86_400 },
    action: { ...work, notify: { slack: { channel: channel.id } } },
  });
  const principal = person(subject);
  const { id } = await env.control.schedules.create(principal, request, {});
  await env.control.schedules.trigger(principal, id);
  return { end: () => env.control.schedules.delete(principal, id) };
}
const answersIn = (channel: { id: string }) => env.slack.view(channel).filter(({ fromApp }) => fromApp);

test('the answer of a schedule is posted to its channel, with the name of the schedule', async () => {
  env.script([{ text: ['Forty-two.'] }]);
  const { end } = await runSchedule('schedule-owner', channel);
  const [answer] = await until('the answer', () => (answersIn(channel).length > 0 ? answersIn(channel) : undefined));
  expect(answer?.shown).toMatch(/Prices of the week[^]*Forty-two/);
  expect(answer?.threadTs).toBeUndefined();
  await untilPasses('the post is over', async () => expect(await env.slackPosts.depth()).toBe(0));
  expect(answersIn(channel)).toHaveLength(1);
  await end();
});

test('a private channel gets the answer of a schedule once its owner is linked and in it', async () => {
  env.script([{ text: ['Forty-two.'] }]);
  const ada = env.slack.addUser({ name: 'ada' });
  const closed = env.slack.addChannel({ name: 'private', kind: 'private', members: [ada] });
  const { end } = await runSchedule('ada', closed);
  await until('it is put back', async () => {
    const { rows } = await query('select from slack_posts where channel = $1 and attempts > 0', [closed.id]);
    return rows.length > 0;
  });
  expect(answersIn(closed)).toEqual([]);
  await query("insert into slack_links (team, user_id, tenant, subject) values ($1, $2, 'local', 'ada')", [
    env.slack.workspace.id,
    ada.id,
  ]);
  await query('update slack_posts set due_at = now() where channel = $1', [closed.id]);
  await until('the answer', () => answersIn(closed).length > 0);
  await end();
});

/** A conversation of a person, in which a message that comes while it is busy steers the running task. */
const conversationOf = (subject: string) =>
  env.conversationRows.create(person(subject), { agent: 'knowledge' }, { onBusy: 'steer' });

test('a run that cannot begin is posted once, with code and meaning', async () => {
  const { id: conversationId } = await conversationOf('eve');
  await env.conversationRows.markDeleted(person('eve'), conversationId);
  const { end } = await runSchedule('eve', channel, { conversationId, text: 'The secret plan?' });
  const [line] = await until('the line', () => (answersIn(channel).length > 0 ? answersIn(channel) : undefined));
  expect(line?.shown).toMatch(/Prices of the week[^]*This run could not begin[^]*not_found/);
  expect(JSON.stringify(line)).not.toContain('secret plan');
  await settled();
  expect(answersIn(channel)).toHaveLength(1);
  await end();
});

test('a message of a schedule that steers a running task posts neither answer', async () => {
  const running = Promise.withResolvers<void>();
  const { promise: goesOn, resolve: goOn } = Promise.withResolvers<void>();
  env.tool('wait', async () => {
    running.resolve();
    await goesOn;
    return { output: {}, summary: 'waited' };
  });
  env.script([{ calls: [{ tool: 'wait', arguments: {} }] }, { text: ['The private answer.'] }]);
  const { id: conversationId } = await conversationOf('eve');
  await env.messages.submit(person('eve'), conversationId, { id: 'asked', text: 'How are things?' });
  await running.promise;
  const message = { conversationId, text: 'And the price?', onBusy: 'steer' };
  const { end } = await runSchedule('eve', channel, message);
  const taskId = await until('the message is stored', async () => {
    const { rows } = await query("select running_task_id from conversation_messages where state = 'steering'");
    return rows[0]?.running_task_id as string | undefined;
  });
  // A task that goes on before it hears of the message would leave it to a turn of its own, with an answer.
  await until('the task has heard of it', async () => {
    const { events = [] } = await env.client.workflow.getHandle(taskWorkflowId(taskId)).fetchHistory();
    return events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'steer');
  });
  goOn();
  await until('nothing is to be posted', async () => {
    const { rows } = await query('select from schedule_runs where slack_channel is not null');
    return rows.length === 0;
  });
  await untilPasses('it is counted', async () =>
    expect(await env.metrics.registry.metrics()).toMatch(
      /slack_notifications_total\{[^}]*kind="run",outcome="elsewhere"[^}]*\} 1/,
    ),
  );
  expect(answersIn(channel)).toEqual([]);
  expect((await query('select from slack_posts where channel = $1', [channel.id])).rows).toEqual([]);
  await end();
});
