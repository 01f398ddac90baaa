import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readClaims } from '../../adapters/identity/claims.ts';
import { createSubjects } from '../../adapters/postgres/identity/subjects.ts';
import { issuersOf, type IssuerSettings } from '../../runtime/identity-settings.ts';
import { hashSlackLinkCode, hashSlackLinkDigits } from '../../runtime/slack-link-code.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

const settings = {
  OIDC_ISSUER: 'https://idp.example.com',
  OIDC_AUDIENCE: 'https://alfred.example.com',
  OIDC_TENANT: 'acme',
  ALFRED_PUBLIC_URL: 'https://alfred.example.com',
  SLACK_TENANT: 'acme',
  SLACK_LINK_BY_EMAIL: 'example.com',
};

let env: SlackHarness;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness(settings, { rateLimits: false });
  team = env.slack.workspace.id;
  env.script(() => ({ text: ['Yes.'] }));
});
afterAll(() => env?.close());

let count = 0;
type Person = { id: string; name: string };
/** A person in Slack with the address `<name>@example.com`. */
const person = (fields: { kind?: 'guest'; emailConfirmed?: boolean; email?: string } = {}) =>
  env.slack.addUser({ name: `mail${++count}`, ...fields });

type SignIn = { email?: string; verified?: boolean; ageDays?: number; roles?: string[] };
/** Records a token, as the API does with each that it has verified. */
async function signIn(subject: string, { email, verified = true, ageDays = 0, roles = [] }: SignIn) {
  const iat = Math.floor(Date.now() / 1_000) - ageDays * 86_400;
  const claims = { sub: subject, iat, exp: iat + 300, roles, email, email_verified: verified };
  const [issuer] = issuersOf(env.config) as [IssuerSettings];
  const subjects = createSubjects(env.postgres.db, { emailDomains: env.config.SLACK_LINK_BY_EMAIL });
  await subjects.record(readClaims(claims, issuer, []));
}
const addressOf = ({ name }: Person) => `${name}@example.com`;
const directOf = ({ id }: Person) => env.slack.directMessage(id).id;
const own = ({ id }: Person) => `slack:${team}:${id}`;

async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}
/** Asks in direct messages. @returns with whose rights, and the lines that are no answer */
async function ask(user: Person) {
  const channel = directOf(user);
  const { ts } = env.slack.say(user.id, channel, 'Is it open?');
  const answers = await env.answersIn(channel, ts);
  await processed();
  const { rows } = await env.postgres.pool.query(
    'select t.subject, t.tenant, t.roles from slack_posts p join tasks t on t.id = p.task_id where p.question_ts = $1',
    [ts],
  );
  const shown = new Set(answers.map((answer) => answer.ts));
  const lines = env.slack.view(channel, ts).filter((message) => message.fromApp && !shown.has(message.ts));
  return { ...(rows[0] as { subject: string; tenant: string; roles: string[] }), lines: lines.map((one) => one.shown) };
}
/** Writes a command. @returns what the person alone reads */
async function run(user: Person, words: string): Promise<string> {
  const channel = directOf(user);
  const before = env.noticesIn(channel, user.id).length;
  await env.slack.command(user.id, channel, '/alfred', words);
  await processed();
  const seen = env.noticesIn(channel, user.id).slice(before);
  return JSON.stringify(seen.map(({ blocks }) => blocks));
}
async function home(user: Person): Promise<string> {
  env.slack.openApp(user.id);
  await processed();
  return env.slack.home(user.id)?.shown ?? '';
}
const actionsOf = async (subject: string) => {
  const { rows } = await env.postgres.pool.query(
    `select action, tenant, via, resource_id from audit_pending where subject = $1 and action like 'slack.%' order by id`,
    [subject],
  );
  return rows as { action: string; tenant: string; via: string; resource_id: string }[];
};
const changes = async (outcome: string) => {
  const { values } = await env.metrics.slackEmailLinks.get();
  return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
};

test('a member is linked with the sign-in of its verified address, with the roles of that, and reads it once', async () => {
  const anna = person();
  await signIn('anna', { email: addressOf(anna).toUpperCase(), roles: ['clerk'] });
  const before = await changes('made');
  const first = await ask(anna);
  expect(first).toMatchObject({ subject: 'anna', tenant: 'acme', roles: ['clerk'] });
  expect(first.lines.join()).toMatch(/linked with `anna` of acme, because both have the same e-mail address/);
  expect((await ask(anna)).lines).toEqual([]);
  expect(await actionsOf('anna')).toEqual([
    { action: 'slack.link.email', tenant: 'acme', via: 'slack', resource_id: `${team}:${anna.id}` },
  ]);
  expect((await changes('made')) - before).toBe(1);
  for (const shown of [await run(anna, 'link'), await run(anna, 'help'), await home(anna)])
    expect(shown).toContain('because both have the same e-mail address');
});

test('in a channel an address changes nothing', async () => {
  const anna = person();
  await signIn('channel-anna', { email: addressOf(anna), roles: ['clerk'] });
  const { id: channel } = env.slack.addChannel({ name: 'mail-channel', members: [anna] });
  const { ts } = env.slack.mention(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, ts);
  expect((await env.tasks()).filter(({ subject }) => subject === `slack:${team}:${channel}`)).toHaveLength(1);
});

test.each<[string, Parameters<typeof person>[0], SignIn]>([
  ['that the provider has not verified', {}, { verified: false }],
  ['that Slack has not confirmed', { emailConfirmed: false }, {}],
  ['of another domain', { email: 'anna@example.net' }, { email: 'anna@example.net' }],
  ['that no token has named for more than thirty days', {}, { ageDays: 31 }],
])('an address %s makes no link', async (_, inSlack, token) => {
  const anna = person(inSlack);
  await signIn(`weak${count}`, { email: addressOf(anna), roles: ['clerk'], ...token });
  expect(await ask(anna)).toMatchObject({ subject: own(anna), roles: [] });
  expect(await actionsOf(`weak${count}`)).toEqual([]);
});

test('a guest with the address of a sign-in is refused as before, and gets no link', async () => {
  const guest = person({ kind: 'guest' });
  await signIn('guest-subject', { email: addressOf(guest) });
  const { id: channel } = env.slack.addChannel({ name: 'mail-guest', members: [guest] });
  await env.slack.command(guest.id, channel, '/alfred', 'tasks');
  await processed();
  expect(env.noticesIn(channel, guest.id).at(-1)?.shown).toContain('does not answer guests');
  expect(await env.slackUserLinks.find(team, guest.id)).toBeUndefined();
});

test('an address that two sign-ins have links with none, and the person reads what to do', async () => {
  const anna = person();
  await signIn('one', { email: addressOf(anna), roles: ['clerk'] });
  await signIn('two', { email: addressOf(anna) });
  const asked = await ask(anna);
  expect(asked).toMatchObject({ subject: own(anna), roles: [] });
  expect(asked.lines.join()).toContain('because several have your e-mail address');
  for (const shown of [await run(anna, 'link'), await home(anna)]) expect(shown).toContain('several have your e-mail');
  await run(anna, 'unlink');
  expect((await ask(anna)).lines).toEqual([]);
});

test('when the address changes at the provider the link ends at the next use', async () => {
  const anna = person();
  await signIn('mover', { email: addressOf(anna), roles: ['clerk'] });
  const { id: channel } = env.slack.directMessage(anna.id);
  const { ts } = env.slack.say(anna.id, channel, 'Is it open?');
  await env.answersIn(channel, ts);
  await signIn('mover', { email: 'moved@example.com', roles: ['clerk'] });
  // In the thread that it has begun, too.
  env.slack.say(anna.id, channel, 'And now?', ts);
  await processed();
  expect(env.slack.view(channel, ts).at(-1)?.shown).toContain('begun under another sign-in');
  expect(await ask(anna)).toMatchObject({ subject: own(anna), roles: [] });
  expect((await actionsOf('mover')).map(({ action }) => action)).toEqual(['slack.link.email', 'slack.unlink.email']);
});

test('a link that the person makes goes first, and an unlink is not undone by the address', async () => {
  const anna = person();
  await signIn('by-mail', { email: addressOf(anna) });
  expect(await ask(anna)).toMatchObject({ subject: 'by-mail' });
  const code = /code=([\w-]{43})\|/.exec(await run(anna, 'link'))?.[1] ?? '';
  const digits = hashSlackLinkDigits(team, anna.id, '12345678');
  expect(await env.slackLinking.confirm(hashSlackLinkCode(code), { tenant: 'acme', subject: 'own' }, digits)).toBe(
    true,
  );
  await run(anna, 'link 12345678');
  expect(await run(anna, 'link')).toContain('is linked with `own` of acme, by `/alfred link`');
  expect(await ask(anna)).toMatchObject({ subject: 'own' });
  await run(anna, 'unlink');
  expect(await ask(anna)).toMatchObject({ subject: own(anna), lines: [] });
  expect(await home(anna)).toContain('is not linked with a sign-in');
});

test('a link does not count thirty days after the last sign-in, until the person signs in again', async () => {
  const [byMail, byHand] = [person(), person()];
  await signIn('rare', { email: addressOf(byMail), roles: ['clerk'] });
  await signIn('hand', { roles: ['clerk'], ageDays: 31 });
  await env.postgres.pool.query(
    `insert into slack_links (team, user_id, tenant, subject, linked_at)
     values ($1, $2, 'acme', 'hand', now() - interval '31 days')`,
    [team, byHand.id],
  );
  expect(await ask(byMail)).toMatchObject({ subject: 'rare', roles: ['clerk'] });
  await env.postgres.pool.query(
    `update subjects set email_at = now() - interval '31 days', issued_at = now() - interval '31 days'
     where subject = 'rare'`,
  );
  for (const user of [byMail, byHand]) {
    const asked = await ask(user);
    expect(asked).toMatchObject({ subject: own(user), roles: [] });
    expect(asked.lines.join()).toContain('your last sign-in there is too long ago: sign in again');
    expect(await run(user, 'link')).toMatch(/does not count at the moment.*auth\/slack\?code=/);
  }
  await signIn('rare', { email: addressOf(byMail), roles: ['clerk'] });
  await signIn('hand', { roles: ['clerk'] });
  expect(await ask(byMail)).toMatchObject({ subject: 'rare', roles: ['clerk'] });
  expect(await ask(byHand)).toMatchObject({ subject: 'hand', roles: ['clerk'] });
});

test('with the setting off, links by address end at the next use, and no address makes one', async () => {
  const [linked, other] = [person(), person()];
  for (const user of [linked, other]) await signIn(`off-${user.name}`, { email: addressOf(user), roles: ['clerk'] });
  expect(await ask(linked)).toMatchObject({ subject: `off-${linked.name}` });
  await env.stopBot();
  await env.startBot({ config: { ...env.config, SLACK_LINK_BY_EMAIL: [] } });
  for (const user of [linked, other]) expect(await ask(user)).toMatchObject({ subject: own(user), roles: [] });
  expect(await env.slackUserLinks.find(team, linked.id)).toBeUndefined();
});
