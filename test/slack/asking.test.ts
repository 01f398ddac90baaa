import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';
import { blockedTurn } from '../api/open-conversation.ts';
import { until, untilPasses } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
  team = env.slack.workspace.id;
});
afterAll(() => env?.close());

let count = 0;
const person = (name = `person${++count}`) => env.slack.addUser({ name });
function directMessages(user = person()) {
  const { id: channel } = env.slack.directMessage(user);
  return { user, channel, say: (text: string, thread?: string) => env.slack.say(user, channel, text, thread) };
}
function channelWith(members = [person(), person()], more: { external?: boolean } = {}) {
  const { id: channel } = env.slack.addChannel({ name: `channel${++count}`, members, ...more });
  const [first = person(), second = person()] = members;
  return { channel, members: [first, second] as const };
}
const answer = (text: string) => env.script(() => ({ text: [text] }));
const tasksOf = async (subject: string) => (await env.tasks()).filter((task) => task.subject === subject);
/** Waits until everything that Slack has sent is processed. */
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}
/** The messages of people in a request of the model. */
const askedIn = (request: ModelRequest | undefined) =>
  request?.messages.flatMap((message) => (message.role === 'user' ? [message.text] : []));

describe('a direct message', () => {
  test('is answered in its thread, for a subject of the person', async () => {
    const requests = answer('Thirty days.');
    const { user, channel, say } = directMessages();
    const { ts } = say('How many days do I have?');
    const [shown] = await env.answersIn(channel, ts);
    expect(shown?.shown).toContain('Thirty days.');
    expect(requests).toHaveLength(1);
    expect(await tasksOf(`slack:${team}:${user.id}`)).toMatchObject([{ tenant: 'local', status: 'completed' }]);
  });

  test('goes on with what was said in its thread before', async () => {
    const requests = env.script([{ text: ['Hello Anna.'] }, { text: ['Anna.'] }]);
    const { channel, say } = directMessages();
    const { ts } = say('I am Anna & I ask.');
    await env.answersIn(channel, ts);
    say('Who am I?', ts);
    await env.answersIn(channel, ts, 2);
    expect(askedIn(requests[1])).toEqual(['I am Anna & I ask.', 'Who am I?']);
  });

  test('outside of a thread begins another conversation', async () => {
    const requests = answer('Yes.');
    const { channel, say } = directMessages();
    await env.answersIn(channel, say('The first question').ts);
    await env.answersIn(channel, say('The second question').ts);
    expect(askedIn(requests[1])).toEqual(['The second question']);
  });

  test('of 30,000 characters is refused with the reason, and the next is answered', async () => {
    answer('Yes.');
    const { user, channel, say } = directMessages();
    const { ts } = say('word '.repeat(6_000));
    await processed();
    expect(env.slack.view(channel, ts).at(-1)?.shown).toContain('I take 20,000');
    expect(await tasksOf(`slack:${team}:${user.id}`)).toEqual([]);
    say('A short one', ts);
    await env.answersIn(channel, ts);
  });
});

describe('in a channel', () => {
  test('four deliveries of a mention and of its twin make one task and one reply', async () => {
    const requests = answer('On Friday.');
    const { channel, members } = channelWith();
    env.slack.faults.setDeliveryCopies(4);
    const { ts, deliveries } = env.slack.mention(members[0].id, channel, 'When is the party?');
    env.slack.faults.setDeliveryCopies(1);
    await processed();
    const answers = await env.answersIn(channel, ts);
    expect(deliveries).toHaveLength(2);
    const ofMessage = env.slack.deliveries.filter(({ payload }) => (payload['event'] as { ts?: string }).ts === ts);
    expect(ofMessage).toHaveLength(8);
    expect(await tasksOf(`slack:${team}:${channel}`)).toHaveLength(1);
    expect(answers).toHaveLength(1);
    expect(env.slack.view(channel, ts).filter(({ fromApp }) => fromApp)).toHaveLength(1);
    expect(requests.map(askedIn)).toEqual([['When is the party?']]);
  });

  test('a message that does not name Alfred is not for it', async () => {
    answer('Yes.');
    const { channel, members } = channelWith();
    env.slack.say(members[0].id, channel, 'Lunch?');
    await processed();
    expect(await tasksOf(`slack:${team}:${channel}`)).toEqual([]);
  });

  test('a follow-up needs no mention where Alfred takes part, unless it is for others', async () => {
    const requests = answer('Yes.');
    const { channel, members } = channelWith();
    const { ts } = env.slack.mention(members[0].id, channel, 'Is it open?');
    await env.answersIn(channel, ts);
    env.slack.say(members[1].id, channel, `<@${members[0].id}> do you believe that?`, ts);
    await processed();
    env.slack.say(members[1].id, channel, 'And on Sundays?', ts);
    await env.answersIn(channel, ts, 2);
    expect(requests.map(askedIn)).toEqual([['Is it open?'], ['Is it open?', 'And on Sundays?']]);
  });

  test('a mention without words asks for the question, privately', async () => {
    const { channel, members } = channelWith();
    env.slack.mention(members[0].id, channel, '');
    await processed();
    expect(env.noticesIn(channel, members[0].id)).toMatchObject([
      { shown: expect.stringContaining('What is your question?') },
    ]);
    expect(env.noticesIn(channel, members[1].id)).toEqual([]);
  });
});

describe('a message that comes while Alfred answers', () => {
  test('waits for its turn, and the person reads that', async () => {
    const first = blockedTurn('The first.');
    const requests = env.script([first.turn, { text: ['The second.'] }]);
    const { channel, members } = channelWith();
    const { ts } = env.slack.mention(members[0].id, channel, 'One?');
    await until('the model is asked', () => requests.length === 1);
    env.slack.say(members[1].id, channel, 'Two?', ts);
    await processed();
    expect(env.noticesIn(channel, members[1].id)).toMatchObject([{ shown: expect.stringContaining('when I am done') }]);
    first.release();
    const answers = await env.answersIn(channel, ts, 2);
    expect(answers.map(({ shown }) => shown)).toEqual([
      expect.stringContaining('The first.'),
      expect.stringContaining('The second.'),
    ]);
  });
});

describe('a question that is changed in Slack', () => {
  test('is answered as it was, and the person reads that', async () => {
    answer('Yes.');
    const { user, channel, say } = directMessages();
    const question = say('Is it open on Monday?');
    await env.answersIn(channel, question.ts);
    env.slack.edit(user, question, 'Is it open on Tuesday?');
    await untilPasses('the notice of the edit', () =>
      expect(env.slack.view(channel, question.ts).at(-1)?.shown).toContain('You edited your message'),
    );
    env.slack.remove(user, question);
    await untilPasses('the notice of the deletion', () =>
      expect(env.slack.viewAll(channel).at(-1)?.shown).toContain('You deleted your message'),
    );
    expect(await tasksOf(`slack:${team}:${user.id}`)).toHaveLength(1);
  });

  test('no notice comes of a message that was no question', async () => {
    const { channel, members } = channelWith();
    const message = env.slack.say(members[0].id, channel, 'Lunch?');
    env.slack.edit(members[0].id, message, 'Lunch at one?');
    await processed();
    expect(env.slack.viewAll(channel, { as: members[0].id })).toHaveLength(1);
  });
});

describe('who may ask', () => {
  test.each(['guest', 'external'] as const)('a person that is %s reads why there is no answer', async (kind) => {
    const requests = answer('Yes.');
    const stranger = env.slack.addUser({ name: kind, kind });
    const { channel } = channelWith([stranger, person()]);
    env.slack.mention(stranger, channel, 'What is the salary of Anna?');
    await processed();
    expect(env.noticesIn(channel, stranger.id)).toHaveLength(1);
    expect(requests).toEqual([]);
  });

  test('a bot is ignored', async () => {
    const requests = answer('Yes.');
    const bot = env.slack.addUser({ name: 'other', kind: 'bot' });
    const { channel } = channelWith([bot, person()]);
    env.slack.mention(bot, channel, 'Hello?');
    await processed();
    expect(env.slack.viewAll(channel, { as: bot })).toHaveLength(1);
    expect(requests).toEqual([]);
  });

  test('in a channel that is shared with another organisation no answer comes, for members neither', async () => {
    const requests = answer('Yes.');
    const { channel, members } = channelWith(undefined, { external: true });
    env.slack.mention(members[0].id, channel, 'What is the salary of Anna?');
    await processed();
    expect(env.noticesIn(channel, members[0].id)).toMatchObject([
      { shown: expect.stringContaining('shared with other organisations') },
    ]);
    expect(requests).toEqual([]);
  });

  test('in a channel that is shared inside an organisation no answer comes, and in others of it one does', async () => {
    const requests = answer('Yes.');
    env.slack.workspace.enterprise = 'E1';
    try {
      const anna = person();
      const shared = env.slack.addChannel({ name: 'all-of-us', members: [anna] });
      shared.isOrgShared = true;
      env.slack.mention(anna, shared, 'What is the salary of Ben?');
      await processed();
      expect(env.noticesIn(shared.id, anna.id)).toMatchObject([
        { shown: expect.stringContaining('other organisations or workspaces') },
      ]);
      expect(requests).toEqual([]);
      const own = channelWith([anna]);
      await env.answersIn(own.channel, env.slack.mention(anna, own.channel, 'Is it so?').ts);
    } finally {
      delete env.slack.workspace.enterprise;
    }
  });

  test('begins nothing while the audit log cannot be written, and is answered when it can', async () => {
    answer('Here I am.');
    const { user, channel, say } = directMessages();
    const check = env.audit.check.bind(env.audit);
    env.audit.check = () => {
      throw new AlfredError('database_unavailable');
    };
    try {
      const { ts } = say('Are you there?');
      await until('it was put back', async () => {
        const { rows } = await env.postgres.pool.query(
          'select from slack_inbox where completed_at is null and attempts > 0 and owner is null',
        );
        return rows.length > 0;
      });
      expect(await tasksOf(`slack:${team}:${user.id}`)).toEqual([]);
      env.audit.check = check;
      expect((await env.answersIn(channel, ts))[0]?.shown).toContain('Here I am.');
    } finally {
      env.audit.check = check;
    }
  });

  test('a linked person asks as its subject, and does not go on with a thread of another one', async () => {
    answer('Yes.');
    const { user, channel, say } = directMessages();
    const earlier = say('Before the link');
    await env.answersIn(channel, earlier.ts);
    await env.postgres.pool.query('insert into slack_links (team, user_id, tenant, subject) values ($1, $2, $3, $4)', [
      team,
      user.id,
      'local',
      'anna',
    ]);
    await env.answersIn(channel, say('After it').ts);
    expect(await tasksOf('anna')).toMatchObject([{ tenant: 'local' }]);
    say('In the old thread', earlier.ts);
    await processed();
    expect(env.slack.view(channel, earlier.ts).at(-1)?.shown).toContain('begun under another sign-in');
    expect(await tasksOf(`slack:${team}:${user.id}`)).toHaveLength(1);
  });
});

test('what Alfred writes itself starts nothing', async () => {
  const before = (await env.tasks()).length;
  await processed();
  expect((await env.tasks()).length).toBe(before);
  const { rows } = await env.postgres.pool.query(
    'select count(*)::int as bodies from slack_inbox where body is not null',
  );
  expect(rows).toEqual([{ bodies: 0 }]);
});
