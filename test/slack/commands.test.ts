import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { commandList } from '../../slack/commands/command-list.ts';
import { blockedTurn } from '../api/open-conversation.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { until, untilPasses } from '../support/until.ts';
import { createCommandHarness } from './command-harness.ts';

type Harness = Awaited<ReturnType<typeof createCommandHarness>>;
let env: Harness['env'];
let team: Harness['team'];
let person: Harness['person'];
let directOf: Harness['directOf'];
let channelWith: Harness['channelWith'];
let processed: Harness['processed'];
let run: Harness['run'];
let answer: Harness['answer'];
let tasksOf: Harness['tasksOf'];
let askDirectly: Harness['askDirectly'];
beforeAll(async () => {
  ({ env, team, person, directOf, channelWith, processed, run, answer, tasksOf, askDirectly } =
    await createCommandHarness());
});
afterAll(() => env?.close());

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

describe('contacts', () => {
  test('are brought line by line or as a table, become contacts, and are found by those who may', async () => {
    const user = person();
    const channel = directOf(user);
    const added = await run(
      user,
      channel,
      'contacts add Ann Lee &lt;<mailto:ann@example.com|ann@example.com>&gt;, +49 30 901820, Northwind\nnobody',
    );
    expect(added).toMatch(/I took 2 lines\./);
    const uploads = await untilShown(user, channel, 'contacts', /completed: 2 lines, 1 added, .* 1 rejected/);
    expect(uploads).toContain('Slack');
    expect(await run(user, channel, 'contacts north')).toMatch(/Ann Lee, Northwind, ann@example\.com, \+4930901820/);
    await run(user, channel, 'contacts add name,email\nBob Ray,bob@example.com');
    const other = person();
    await untilShown(other, directOf(other), 'contacts ray', /Bob Ray, bob@example\.com/);
    expect(await run(user, channel, 'contacts zircon')).toContain('There is no such contact.');
    expect(await run(user, channel, 'contacts add')).toContain('one a line');
    const { rows } = await env.postgres.pool.query(
      `select count(*)::int as count from audit_entries where action = 'contact.ingest'`,
    );
    expect(rows).toEqual([{ count: 2 }]);
  });

  /** Writes a command again until its answer fits: what it is about happens afterwards. */
  async function untilShown(user: { id: string }, channel: string, words: string, expected: RegExp) {
    return until(`${words} shows ${expected}`, () => run(user, channel, words), {
      accept: (shown) => expected.test(shown),
    });
  }
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
    const [{ id }] = (await tasksOf({ id: channel })) as [{ id: string }, ...unknown[]];
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
    const [{ id }] = (await tasksOf(anna)) as [{ id: string }, ...unknown[]];
    const bert = person();
    expect(await run(bert, directOf(bert), `cancel ${id}`)).toContain('There is no task');
    expect(await run(anna, channel, `cancel ${id}`)).toMatch(/being cancelled|has ended/);
    await untilPasses('the task is cancelled', async () =>
      expect(await tasksOf(anna)).toMatchObject([{ status: 'cancelled' }]),
    );
    turn.release();
    const subject = `slack:${team}:${anna.id}`;
    const { entries } = await env.audit.list('local', { subject, limit: 10 });
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'task.cancel', via: 'slack', resource: { type: 'task', id }, outcome: 'ok' }),
    );
    expect(await run(anna, channel, `cancel ${id}`)).toContain('has ended before');
    await untilPasses('the refusal has an entry too', async () => {
      const refused = await env.audit.list('local', { subject: `slack:${team}:${bert.id}`, limit: 10 });
      expect(refused.entries).toMatchObject([{ action: 'task.cancel', outcome: 'refused', code: 'not_found' }]);
    });
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

  test('in a channel are shown to the person alone; those of others are not counted, and as if they were not there', async () => {
    const [anna, bert] = [person(), person()];
    const { channel } = channelWith([anna, bert]);
    const scope = { tenant: 'local', subject: `slack:${team}:${anna.id}` };
    const before = await run(bert, channel, 'documents');
    // More than a list shows.
    for (let n = 0; n < 21; n++)
      await putDocument(env.postgres.db, `gneiss${n}.txt`, `Gneiss ${n}: ZIRCON.`, {
        scope,
        placement: { readers: [] },
      });
    expect(await run(anna, channel, 'documents gneiss')).toContain('ZIRCON');
    expect(env.slack.viewAll(channel)).toEqual([]);
    expect(await run(bert, channel, 'documents')).toBe(before);
    expect(await run(bert, channel, 'documents gneiss')).toBe(await run(bert, channel, 'documents felsite'));
    expect(JSON.stringify(env.noticesIn(channel, bert.id))).not.toMatch(/ZIRCON|gneiss\d/);
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
    const search = env.index.search.bind(env.index);
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
