import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { commandList } from '../../slack/commands/command-list.ts';
import { blockedTurn } from '../api/open-conversation.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { until, untilPasses } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness({ ALFRED_PUBLIC_URL: 'https://alfred.example.com' }, { rateLimits: false });
  team = env.slack.workspace.id;
});
afterAll(() => env?.close());

let count = 0;
const person = (more: { kind?: 'guest' | 'external' | 'bot' } = {}) =>
  env.slack.addUser({ name: `person${++count}`, ...more });
function channelWith(members = [person(), person()], more: { external?: boolean; withApp?: boolean } = {}) {
  const { id: channel } = env.slack.addChannel({ name: `commands${++count}`, members, ...more });
  return { channel, members };
}
const answer = (text: string) => env.script(() => ({ text: [text] }));
const directOf = (user: { id: string }) => env.slack.directMessage(user.id).id;
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}

/** Writes a command, and returns what the person alone reads after it. */
async function run(user: { id: string }, channel: string, words: string): Promise<string> {
  const before = env.noticesIn(channel, user.id).length;
  const { acknowledged } = await env.slack.command(user.id, channel, '/alfred', words);
  expect(acknowledged).toBe(true);
  await processed();
  return env
    .noticesIn(channel, user.id)
    .slice(before)
    .map(({ shown }) => shown)
    .join('\n');
}
/** Asks in the direct messages of a person, and returns the id of the task. */
async function askDirectly(user: { id: string }, text: string): Promise<string> {
  const channel = directOf(user);
  await env.answersIn(channel, env.slack.say(user.id, channel, text).ts);
  return (await tasksOf(user)).at(-1)!.id;
}
const tasksOf = async ({ id }: { id: string }) =>
  (await env.tasks()).filter(({ subject }) => subject === `slack:${team}:${id}`);

describe('help', () => {
  test('lists every command, and only the person who wrote sees it', async () => {
    const { channel, members } = channelWith();
    const shown = await run(members[0]!, channel, '');
    for (const { usage } of Object.values(commandList)) expect(shown).toContain(`/alfred ${usage.split(' ')[0]}`);
    expect(env.noticesIn(channel, members[1]!.id)).toEqual([]);
    expect(await run(members[0]!, channel, 'HELP')).toBe(shown);
  });

  test('names the nearest command for a word that is none', async () => {
    const user = person();
    expect(await run(user, directOf(user), 'taks')).toMatch(/I do not know `?taks`?.*Did you mean `?\/alfred tasks/s);
    expect(await run(user, directOf(user), 'approve')).toMatch(/Did you mean `?\/alfred approvals/);
    const unlike = await run(user, directOf(user), '`<!here>` now');
    expect(unlike).toContain('I do not know');
    expect(unlike).not.toContain('Did you mean');
    expect(unlike).not.toContain('<!here>');
  });

  test('is there where Alfred is no member', async () => {
    const { channel, members } = channelWith(undefined, { withApp: false });
    expect(await run(members[0]!, channel, 'help')).toContain('/alfred ask');
  });
});

describe('ask', () => {
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
});

describe('tasks', () => {
  test('are those of the person alone, newest first, with status and link', async () => {
    answer('Yes.');
    const [anna, bert] = [person(), person()];
    const first = await askDirectly(anna, 'The first ZIRCON');
    const second = await askDirectly(anna, 'The second');
    const shown = await run(anna, directOf(anna), 'tasks');
    expect(shown.indexOf(second)).toBeGreaterThan(-1);
    expect(shown.indexOf(first)).toBeGreaterThan(shown.indexOf(second));
    expect(shown).toContain('completed');
    expect(JSON.stringify(env.noticesIn(directOf(anna), anna.id).at(-1))).toContain(
      `https://alfred.example.com/v1/tasks/${first}`,
    );
    expect(await run(bert, directOf(bert), 'tasks')).toContain('nothing yet');
    expect(await run(bert, directOf(bert), `status ${first}`)).toContain('There is no task');
    expect(await run(bert, directOf(bert), `cancel ${first}`)).toContain('There is no task');
  });

  test('in a channel are shown to the person alone', async () => {
    answer('Yes.');
    const { channel, members } = channelWith();
    await askDirectly(members[0]!, 'About ZIRCON');
    expect(await run(members[0]!, channel, 'tasks')).toContain('ZIRCON');
    expect(env.slack.viewAll(channel)).toEqual([]);
    expect(env.noticesIn(channel, members[1]!.id)).toEqual([]);
  });
});

describe('status', () => {
  test('shows what became of a task, and what it cost', async () => {
    answer('Yes.');
    const anna = person();
    const id = await askDirectly(anna, 'Is it open?');
    expect(await run(anna, directOf(anna), `status ${id.toUpperCase()}`)).toMatch(
      /completed[^]*Agent [^]*1 model call/,
    );
  });

  test('of what a person has asked in a channel is shown to that person', async () => {
    answer('Yes.');
    const { channel, members } = channelWith();
    await env.answersIn(channel, env.slack.mention(members[0]!.id, channel, 'Is it open?').ts);
    const [{ id }] = (await tasksOf({ id: channel })) as [{ id: string }];
    expect(await run(members[0]!, channel, `status ${id}`)).toContain('completed');
    expect(await run(members[1]!, channel, `status ${id}`)).toContain('There is no task');
  });

  test.each(['', 'abc', "' or 1=1 --"])('of %j names what is wrong', async (id) => {
    const user = person();
    expect(await run(user, directOf(user), `status ${id}`)).toContain('/alfred tasks');
  });
});

describe('cancel', () => {
  test('ends a running task of the person, with an entry in the audit log', async () => {
    const turn = blockedTurn('Yes.');
    const requests = env.script([turn.turn]);
    const anna = person();
    const channel = directOf(anna);
    env.slack.say(anna.id, channel, 'Is it open?');
    await until('the model is asked', () => requests.length === 1);
    const [{ id }] = (await tasksOf(anna)) as [{ id: string }];
    const bert = person();
    expect(await run(bert, directOf(bert), `cancel ${id}`)).toContain('There is no task');
    expect(await run(anna, channel, `cancel ${id}`)).toMatch(/being cancelled|has ended/);
    await untilPasses('the task is cancelled', async () =>
      expect(await tasksOf(anna)).toMatchObject([{ status: 'cancelled' }]),
    );
    turn.release();
    const subject = `slack:${team}:${anna.id}`;
    const { entries } = await env.audit.list('local', { subject, limit: 10 } as never);
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'task.cancel', via: 'slack', resource: { type: 'task', id }, outcome: 'ok' }),
    );
    expect(await run(anna, channel, `cancel ${id}`)).toContain('has ended before');
  });
});

describe('documents', () => {
  test('are those that the person may read, and no others', async () => {
    const [anna, bert] = [person(), person()];
    const { db } = env.postgres;
    const scope = { tenant: 'local', subject: `slack:${team}:${anna.id}` };
    await putDocument(db, 'diary.txt', 'Basalt: Anna hides her ZIRCON ring.', { scope, placement: { readers: [] } });
    await putDocument(db, 'guide.txt', 'The basalt in the lobby is grey.', { placement: { readers: ['everyone'] } });
    const mine = await run(anna, directOf(anna), 'documents basalt');
    expect(mine).toContain('ZIRCON');
    expect(mine).toContain('guide.txt');
    const theirs = await run(bert, directOf(bert), 'documents basalt');
    expect(theirs).toContain('grey');
    expect(theirs).not.toMatch(/ZIRCON|diary/);
    expect(await run(anna, directOf(anna), 'documents')).toMatch(/diary\.txt[^]*guide\.txt/);
    expect(await run(bert, directOf(bert), 'documents')).not.toContain('diary');
  });
});

describe('further commands', () => {
  test('agents, approvals, budget and health answer in private', async () => {
    answer('Yes.');
    const anna = person();
    await askDirectly(anna, 'Is it open?');
    const channel = directOf(anna);
    expect(await run(anna, channel, 'agents')).toContain('knowledge');
    expect(await run(anna, channel, 'approvals')).toContain('Nothing waits');
    expect(await run(anna, channel, 'budget')).toMatch(/today: .*1 model call,[^]*this month: /);
    expect(await run(anna, channel, 'health')).toMatch(/postgres/);
  });

  test('are refused to guests', async () => {
    const guest = person({ kind: 'guest' });
    const { channel } = channelWith([guest, person()]);
    for (const words of ['tasks', 'documents', 'budget', 'agents', 'health', 'approvals'])
      expect(await run(guest, channel, words)).toContain('does not answer guests');
  });

  test('say that something is away, once, and wait for nothing', async () => {
    const anna = person();
    const search = env.index.search;
    env.index.search = async () => {
      throw new AlfredError('index_unavailable', 'secret-host:5432');
    };
    try {
      const shown = await run(anna, directOf(anna), 'documents basalt');
      expect(shown).toContain('does not answer at the moment');
      expect(shown).not.toContain('secret-host');
    } finally {
      env.index.search = search;
    }
  });
});

test('an answer whose address has expired comes as a direct message', async () => {
  const { channel, members } = channelWith();
  const user = members[0]!;
  await env.slack.deliver('command', {
    team_id: team,
    channel_id: channel,
    user_id: user.id,
    command: '/alfred',
    text: 'agents',
    trigger_id: 'expired.1',
    response_url: `${env.slack.url}/response/none`,
  }).first;
  await processed();
  expect(env.slack.viewAll(directOf(user)).at(-1)?.shown).toContain('knowledge');
});

test('an answer goes to no address but that of Slack', async () => {
  const user = person();
  await env.slack.deliver('command', {
    team_id: team,
    channel_id: directOf(user),
    user_id: user.id,
    command: '/alfred',
    text: 'agents',
    trigger_id: 'forged.1',
    response_url: 'http://127.0.0.1:9/response/x',
  }).first;
  await processed();
  expect(env.slack.viewAll(directOf(user)).at(-1)?.shown).toContain('knowledge');
});
