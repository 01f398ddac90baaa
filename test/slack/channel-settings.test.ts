import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until, untilPasses } from '../support/until.ts';
import { createCommandHarness } from './command-harness.ts';

type Harness = Awaited<ReturnType<typeof createCommandHarness>>;
type User = ReturnType<Harness['person']>;
let harness: Harness;
let env: Harness['env'];
let boss: User;
beforeAll(async () => {
  harness = await createCommandHarness();
  ({ env } = harness);
  boss = await operator();
});
afterAll(() => env?.close());

/** A person who is linked with a sign-in that has the role. */
async function operator(role = 'operator'): Promise<User> {
  const user = harness.person();
  const subject = `boss-${user.id}`;
  const query = (text: string, ...values: unknown[]) => env.postgres.pool.query(text, values);
  await query(
    "insert into slack_links (team, user_id, tenant, subject) values ($1, $2, 'local', $3)",
    harness.team,
    user.id,
    subject,
  );
  await query(
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at)
     values ('local', $1, 'person', $2, now(), now() + interval '1 day')`,
    subject,
    [role],
  );
  return user;
}
/** A channel with the operator and another person. */
function place(anna = harness.person()) {
  const { channel } = harness.channelWith([boss, anna]);
  return { channel, anna, set: (words: string) => harness.run(boss, channel, `channel ${words}`) };
}
const noticesOf = ({ id }: User, channel: string) => env.noticesIn(channel, id).map(({ shown }) => shown);
const audited = async (subject: string) => {
  const { rows } = await env.postgres.pool.query(
    "select outcome, code, resource_id from audit_entries where action = 'slack.channel' and subject = $1 order by seq",
    [subject],
  );
  return rows as unknown[];
};

test('a member sees how the channel is set up, and may not change it', async () => {
  const { channel, anna } = place();
  const shown = await harness.run(anna, channel, 'channel');
  for (const line of ['I answer', 'knowledge', 'as everywhere', 'Everyone may ask', `slack:${harness.team}:${channel}`])
    expect(shown).toContain(line);
  expect(shown).toContain('the role operator or admin');
  expect(await harness.run(anna, channel, 'channel off')).toContain('You may not change that');
  expect(await harness.run(anna, channel, 'channel')).toContain('I answer');
  const subject = `slack:${harness.team}:${anna.id}`;
  await untilPasses('the refusal is in the audit log', async () =>
    expect(await audited(subject)).toEqual([
      { outcome: 'refused', code: 'role_missing', resource_id: `${harness.team}:${channel}` },
    ]),
  );
});

test('where Alfred is off, who asks reads privately why; switched on again, it answers', async () => {
  const requests = harness.answer('Yes.');
  const { channel, anna, set } = place();
  expect(await set('off')).toContain('off');
  env.slack.mention(anna.id, channel, 'Is it open?');
  await harness.processed();
  expect(noticesOf(anna, channel).at(-1)).toContain('switched off in this channel');
  expect(await harness.run(anna, channel, 'ask Is it open?')).toContain('switched off in this channel');
  expect(env.slack.view(channel).filter(({ fromApp }) => fromApp)).toEqual([]);
  expect(requests).toEqual([]);
  await set('on');
  const { ts } = env.slack.mention(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, ts);
  expect(await audited(`boss-${boss.id}`)).toContainEqual({
    outcome: 'ok',
    code: null,
    resource_id: `${harness.team}:${channel}`,
  });
});

test('where Alfred is off, replies in an old thread stay unanswered, and one that names it gets a line', async () => {
  const requests = harness.answer('Yes.');
  const { channel, anna, set } = place();
  const { ts: thread } = env.slack.mention(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, thread);
  await set('off');
  env.slack.say(anna.id, channel, 'We meet at eight.', thread);
  env.slack.say(boss.id, channel, 'Good.', thread);
  await harness.processed();
  expect(noticesOf(anna, channel)).toEqual([]);
  env.slack.mention(anna.id, channel, 'Is it open on Sundays?', thread);
  await harness.processed();
  expect(noticesOf(anna, channel)).toEqual([expect.stringContaining('switched off in this channel')]);
  expect(requests).toHaveLength(1);
});

test('only the people who are named may ask, until everyone may again', async () => {
  harness.answer('Yes.');
  const { channel, anna, set } = place();
  expect(await set(`who <@${boss.id}|the boss>, ${boss.id}`)).toContain(`Only <@${boss.id}> may ask`);
  env.slack.mention(anna.id, channel, 'Is it open?');
  await harness.processed();
  expect(noticesOf(anna, channel).at(-1)).toContain('only some people may ask me');
  const { ts } = env.slack.mention(boss.id, channel, 'Is it open?');
  await env.answersIn(channel, ts);
  expect(await set('who @anna')).toContain('I do not know `@anna`');
  expect(await harness.run(anna, channel, 'channel')).toContain(`Only <@${boss.id}> may ask`);
  await set('who everyone');
  env.slack.mention(anna.id, channel, 'Is it open?', ts);
  await env.answersIn(channel, ts, 2);
});

test('another agent answers in new threads; what a channel may not use is refused; reset ends all of it', async () => {
  harness.answer('Yes.');
  const { channel, anna, set } = place();
  const { ts: before } = env.slack.mention(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, before);
  expect(await set('agent butler')).toContain('There is no agent `butler`');
  expect(await set('agent assistant')).toContain('*assistant*');
  const agentOf = async (thread: string): Promise<string | undefined> =>
    (await env.postgres.pool.query('select agent from slack_threads where thread_ts = $1', [thread])).rows[0]?.agent;
  const { ts: after } = env.slack.mention(anna.id, channel, 'Is it open?');
  expect(await until('the thread is begun', () => agentOf(after))).toBe('assistant');
  env.slack.say(anna.id, channel, 'And on Sundays?', before);
  await env.answersIn(channel, before, 2);
  expect(await agentOf(before)).toBe('knowledge');
  await set('off');
  const shown = await set('reset');
  expect(shown).toContain('I answer');
  expect(shown).toContain('as everywhere');
});

test('instructions of the channel reach the model in new threads, in each of their turns, and stay what they were', async () => {
  const requests = harness.answer('Yes.');
  const { channel, anna, set } = place();
  expect(await set('instructions Answer in <!here> French.\nBe brief.')).toContain('Answer in');
  const { ts: french } = env.slack.mention(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, french);
  expect(requests.at(-1)?.instructions).toMatch(/^[^]+\n\n[^]*Answer in @here French\.\nBe brief\.$/);
  await set('instructions none');
  env.slack.say(anna.id, channel, 'And on Sundays?', french);
  await env.answersIn(channel, french, 2);
  expect(requests.at(-1)?.instructions).toContain('French');
  const { ts: usual } = env.slack.mention(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, usual);
  expect(requests.at(-1)?.instructions).not.toContain('French');
  expect(await set(`instructions ${'word '.repeat(500)}`)).toContain('2,000');
  expect(await set('instructions')).toContain('or `none`');
});

test('words that are no setting, and a direct message, say what to write; an admin may too', async () => {
  const { set } = place();
  for (const [words, line] of [
    ['loud', 'I do not know `loud`'],
    ['agent', 'name of an agent'],
    ['who', 'people, or `everyone`'],
  ] as const)
    expect(await set(words)).toContain(line);
  expect(await harness.run(boss, harness.directOf(boss), 'channel off')).toContain('This is for channels');
  const admin = await operator('admin');
  const { channel } = harness.channelWith([admin, harness.person()]);
  expect(await harness.run(admin, channel, 'channel off')).toContain('Done');
  const viewer = await operator('viewer');
  expect(await harness.run(viewer, harness.channelWith([viewer]).channel, 'channel on')).toContain('You may not');
});
