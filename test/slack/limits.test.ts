import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { until } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
beforeAll(async () => {
  env = await createSlackHarness({ ALFRED_LIMIT_STARTS: '2', ALFRED_LIMIT_SUBJECT: '4' }, { rateLimits: false });
});
afterAll(() => env?.close());

let count = 0;
const person = () => env.slack.addUser({ name: `person${++count}` });
const channelWith = (...members: { id: string }[]) =>
  env.slack.addChannel({ name: `channel${++count}`, members: members.map(({ id }) => id) }).id;
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}
async function run(user: { id: string }, channel: string, words: string): Promise<string | undefined> {
  const before = env.noticesIn(channel, user.id).length;
  await env.slack.command(user.id, channel, '/alfred', words);
  await processed();
  return env.noticesIn(channel, user.id).slice(before).at(-1)?.shown;
}
const tasksOf = async (id: string) =>
  (await env.tasks()).filter(({ subject }) => subject === `slack:${env.slack.workspace.id}:${id}`);

test('questions of a person beyond the limit are not asked, in a channel neither, and others ask on', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const [anna, bert] = [person(), person()];
  const channel = channelWith(anna, bert);
  const { id: direct } = env.slack.directMessage(anna);
  await env.answersIn(direct, env.slack.say(anna, direct, 'One?').ts);
  await env.answersIn(channel, env.slack.mention(anna, channel, 'Two?').ts);
  env.slack.mention(anna, channel, 'Three?');
  const line = await until('a line', () => env.noticesIn(channel, anna.id).at(-1)?.shown);
  expect(line).toMatch(
    /^I did not take this\. You start too much\. The limit is 2 a minute\. Repeat in \d+ seconds\.$/,
  );
  await env.answersIn(channel, env.slack.mention(bert, channel, 'And I?').ts);
  expect(await tasksOf(channel)).toHaveLength(2);
  expect(await env.metrics.registry.metrics()).toMatch(/requests_limited_total\{[^}]*limit="starts"[^}]*\} 1/);
});

test('a command counts as a request, and `ask` as a question, of which no one reads when it is refused', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const anna = person();
  const channel = channelWith(anna);
  for (const question of ['One?', 'Two?']) await env.answersIn(channel, env.slack.mention(anna, channel, question).ts);
  const before = env.slack.view(channel).length;
  expect(await run(anna, channel, 'ask Three?')).toContain('You start too much. The limit is 2 a minute.');
  expect(env.slack.view(channel)).toHaveLength(before);
  expect(await run(anna, channel, 'agents')).toContain('The agents that you may use');
  expect(await run(anna, channel, 'agents')).toContain('You send too many requests. The limit is 4 a minute.');
});

test('a question that is repeated because something is away counts once', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const anna = person();
  const { id: direct } = env.slack.directMessage(anna);
  const submit = env.messages.submit.bind(env.messages);
  let failures = 0;
  env.messages.submit = async (...args) => {
    if (failures++ < 2) throw new AlfredError('temporal_unavailable');
    return submit(...args);
  };
  try {
    await env.answersIn(direct, env.slack.say(anna, direct, 'One?').ts);
  } finally {
    env.messages.submit = submit;
  }
  expect(failures).toBe(3);
  await env.answersIn(direct, env.slack.say(anna, direct, 'Two?').ts);
});
