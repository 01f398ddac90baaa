import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { createCommandHarness } from './command-harness.ts';

type Harness = Awaited<ReturnType<typeof createCommandHarness>>;
let env: Harness['env'];
let person: Harness['person'];
let directOf: Harness['directOf'];
let channelWith: Harness['channelWith'];
let run: Harness['run'];
let answer: Harness['answer'];
let tasksOf: Harness['tasksOf'];
beforeAll(async () => {
  ({ env, person, directOf, channelWith, run, answer, tasksOf } = await createCommandHarness());
});
afterAll(() => env?.close());

test('posts the question for all to see, and answers in its thread with the rights of the channel', async () => {
  const requests = answer('On Friday.');
  const { channel, members } = channelWith();
  expect(await run(members[0]!, channel, 'ask When is the party? <@U1> & @here')).toBe('');
  const question = env.slack.view(channel).at(-1)!;
  expect(question).toMatchObject({ fromApp: true, shown: expect.stringContaining('When is the party?') });
  expect(question.text).not.toContain('<!here>');
  const [shown] = await env.answersIn(channel, question.ts);
  expect(shown!.shown).toContain('On Friday.');
  expect(requests).toHaveLength(1);
  expect(await tasksOf({ id: channel })).toHaveLength(1);
  expect(await tasksOf(members[0]!)).toEqual([]);
});

test('goes on in the thread without a mention', async () => {
  const requests = answer('Yes.');
  const { channel, members } = channelWith();
  await run(members[0]!, channel, 'ask Is it open?');
  const { ts } = env.slack.view(channel).at(-1)!;
  await env.answersIn(channel, ts);
  env.slack.say(members[1]!.id, channel, 'And on Sundays?', ts);
  await env.answersIn(channel, ts, 2);
  expect(requests).toHaveLength(2);
});

test('in a direct message is answered for the person', async () => {
  answer('Yes.');
  const user = person();
  await run(user, directOf(user), 'ask Is it open?');
  await env.answersIn(directOf(user), env.slack.view(directOf(user)).at(-1)!.ts);
  expect(await tasksOf(user)).toHaveLength(1);
});

test('posts nothing where Alfred is no member, and says what to do', async () => {
  const requests = answer('Yes.');
  const { channel, members } = channelWith(undefined, { withApp: false });
  expect(await run(members[0]!, channel, 'ask Is it open?')).toContain('/invite');
  expect(env.slack.view(channel)).toEqual([]);
  expect(requests).toEqual([]);
});

test.each(['guest', 'external'] as const)('of a person that is %s posts nothing', async (kind) => {
  const requests = answer('Yes.');
  const { channel, members } = channelWith([person({ kind }), person()]);
  expect(await run(members[0]!, channel, 'ask What is the salary of Anna?')).toContain('Alfred');
  expect(env.slack.view(channel)).toEqual([]);
  expect(requests).toEqual([]);
});

test('posts nothing in a channel that is shared with another organisation', async () => {
  const requests = answer('Yes.');
  const { channel, members } = channelWith(undefined, { external: true });
  expect(await run(members[0]!, channel, 'ask What is the salary?')).toContain('shared with other organisations');
  expect(env.slack.view(channel)).toEqual([]);
  expect(requests).toEqual([]);
});

test('without a question, or with one that is too long, says so', async () => {
  const user = person();
  expect(await run(user, directOf(user), 'ask')).toContain('What is your question?');
  expect(await run(user, directOf(user), `ask ${'word '.repeat(5_000)}`)).toContain('20,000');
  expect(await tasksOf(user)).toEqual([]);
});

test('whose question is posted when Temporal is away is posted once', async () => {
  answer('Yes.');
  const { channel, members } = channelWith();
  const submit = env.messages.submit.bind(env.messages);
  let failures = 0;
  env.messages.submit = async (...args) => {
    if (failures++ < 2) throw new AlfredError('temporal_unavailable');
    return submit(...args);
  };
  try {
    await run(members[0]!, channel, 'ask Is it open?');
  } finally {
    env.messages.submit = submit;
  }
  const [question, ...others] = env.slack.view(channel).filter(({ fromApp }) => fromApp);
  expect(others).toEqual([]);
  await env.answersIn(channel, question!.ts);
  expect(failures).toBe(3);
});
