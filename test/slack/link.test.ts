import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hashSlackLinkCode, hashSlackLinkDigits } from '../../runtime/slack-link-code.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

/** As a door in a process of its own has them: the client and the keys of sessions are the API's. */
const settings = {
  OIDC_ISSUER: 'https://idp.example.com',
  OIDC_AUDIENCE: 'https://alfred.example.com',
  OIDC_TENANT: 'acme',
  ALFRED_PUBLIC_URL: 'https://alfred.example.com',
  SLACK_TENANT: 'acme',
};

let env: SlackHarness;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness(settings, { rateLimits: false });
  team = env.slack.workspace.id;
});
afterAll(() => env?.close());

let count = 0;
const person = (more: { kind?: 'guest' } = {}) =>
  env.slack.addUser({ name: `linked${++count}`, realName: 'Anna Lind', ...more });
const directOf = (user: { id: string }) => env.slack.directMessage(user.id).id;

/** Writes a command, and returns what the person alone reads after it. */
async function run(user: { id: string }, words: string, channel = directOf(user)): Promise<string> {
  const before = env.noticesIn(channel, user.id).length;
  await env.slack.command(user.id, channel, '/alfred', words);
  await env.slack.settled();
  await env.inboxIsEmpty();
  const seen = env.noticesIn(channel, user.id).slice(before);
  return JSON.stringify(seen.map(({ blocks }) => blocks));
}
const codeIn = (text: string) =>
  /https:\/\/alfred\.example\.com\/auth\/slack\?code=([\w-]{43})\|/.exec(text)?.[1] ?? '';
/** Confirms as one who is signed in, and returns the digits that the page shows. */
async function confirm(user: { id: string }, code: string, subject = 'anna') {
  const digits = '12345678';
  const hash = hashSlackLinkDigits(team, user.id, digits);
  expect(await env.slackLinking.confirm(hashSlackLinkCode(code), { tenant: 'acme', subject }, hash)).toBe(true);
  return digits;
}
const directMessages = (user: { id: string }) =>
  env.slack.viewAll(directOf(user)).flatMap(({ fromApp, shown }) => (fromApp ? [shown] : []));
/** They were left in the transaction of what they are about. The API signs them. */
const entriesOf = async (subject: string) => {
  const { rows } = await env.postgres.pool.query(
    `select tenant, via, action, resource_type, resource_id, outcome from audit_pending where subject = $1 order by id`,
    [subject],
  );
  return rows as Record<string, string>[];
};
const entryOf = (user: { id: string }, action: string) => ({
  tenant: 'acme',
  via: 'slack',
  action,
  resource_type: 'slack_user',
  resource_id: `${team}:${user.id}`,
  outcome: 'ok',
});

describe('link', () => {
  test('gives an address, and links with who has confirmed there, once the digits are brought', async () => {
    const anna = person();
    const code = codeIn(await run(anna, 'link'));
    expect(await env.slackLinking.find(hashSlackLinkCode(code))).toEqual({
      team,
      userId: anna.id,
      tenant: 'acme',
      userName: `Anna Lind (@linked${count})`,
      workspace: 'Acme',
    });
    const digits = await confirm(anna, code);
    expect(await run(anna, 'link 8765 4321')).toContain('not the digits');
    expect(await run(anna, `link ${digits.slice(0, 4)} ${digits.slice(4)}`)).toContain('Done.');
    expect(directMessages(anna)).toEqual([expect.stringContaining('Your Slack user is linked with `anna`')]);
    expect(await env.slackUserLinks.find(team, anna.id)).toMatchObject({
      tenant: 'acme',
      subject: 'anna',
      madeBy: 'sign_in',
    });
    expect(await entriesOf('anna')).toEqual([entryOf(anna, 'slack.link')]);
    expect(await run(anna, 'link')).toContain('is linked with `anna`');
    // As after a crash behind the link: the digits are used up.
    expect(await run(anna, `link ${digits}`)).toContain('If this was not you');
    expect(await entriesOf('anna')).toHaveLength(1);
    env.slack.openApp(anna.id);
    await env.slack.settled();
    await env.inboxIsEmpty();
    expect(env.slack.home(anna.id)?.shown).toContain('Here you are anna');
  });

  test('shows the address to the person alone, also in a channel', async () => {
    const [anna, bert] = [person(), person()];
    const { id: channel } = env.slack.addChannel({ name: 'link-here', members: [anna, bert] });
    expect(codeIn(await run(anna, 'link', channel))).not.toBe('');
    expect(env.slack.viewAll(channel, { as: bert.id })).toEqual([]);
  });

  test('takes no digits of another person, and none before a page was confirmed', async () => {
    const [anna, bert] = [person(), person()];
    const code = codeIn(await run(anna, 'link'));
    expect(await run(anna, 'link 12345678')).toContain('No page waits');
    const digits = await confirm(anna, code);
    expect(await run(bert, `link ${digits}`)).toContain('No page waits');
    expect(await run(anna, 'link 1234')).toContain('eight digits');
    expect(await env.slackUserLinks.find(team, anna.id)).toBeUndefined();
    expect(await env.slackUserLinks.find(team, bert.id)).toBeUndefined();
  });

  test('is refused to guests', async () => {
    const guest = person({ kind: 'guest' });
    const { id: channel } = env.slack.addChannel({ name: 'link-guest', members: [guest, person()] });
    expect(await run(guest, 'link', channel)).toContain('does not answer guests');
  });
});

test('unlink ends it, with an entry and a message', async () => {
  const bert = person();
  await run(bert, `link ${await confirm(bert, codeIn(await run(bert, 'link')), 'bert')}`);
  expect(await run(bert, 'unlink')).toContain('Done.');
  expect(directMessages(bert).at(-1)).toContain('not linked with `bert` any more');
  expect(await env.slackUserLinks.find(team, bert.id)).toBeUndefined();
  expect(await entriesOf('bert')).toEqual([entryOf(bert, 'slack.link'), entryOf(bert, 'slack.unlink')]);
  expect(await run(bert, 'unlink')).toContain('linked with no sign-in');
});

test('where Slack takes no direct message of Alfred, the answer to the command says what was done', async () => {
  const dora = person();
  const digits = await confirm(dora, codeIn(await run(dora, 'link')), 'dora');
  env.slack.faults.fail('chat.postMessage', 'messages_tab_disabled');
  expect(await run(dora, `link ${digits}`)).toContain('is linked with `dora`');
});

test('a message in a direct message is asked as the linked subject', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const cora = person();
  await run(cora, `link ${await confirm(cora, codeIn(await run(cora, 'link')), 'cora')}`);
  const { ts } = env.slack.say(cora.id, directOf(cora), 'Is it open?');
  await env.answersIn(directOf(cora), ts);
  expect((await env.tasks()).filter(({ subject }) => subject === 'cora')).toMatchObject([{ tenant: 'acme' }]);
});
