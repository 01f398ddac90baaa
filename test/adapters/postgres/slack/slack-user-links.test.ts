import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { endSlackLinks } from '../../../../adapters/postgres/slack/slack-links.ts';
import { createSlackLinking } from '../../../../adapters/postgres/slack/slack-linking.ts';
import { createSlackUserLinks } from '../../../../adapters/postgres/slack/slack-user-links.ts';
import type { SlackLinking, SlackUserLinks } from '../../../../contract/ports/index.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
let links: SlackUserLinks;
let linking: SlackLinking;
beforeAll(async () => {
  env = await createTestEnvironment();
  links = createSlackUserLinks(env.postgres.db);
  linking = createSlackLinking(env.postgres.db);
});
afterAll(() => env?.close());
beforeEach(async () => {
  for (const table of ['slack_links', 'slack_unlinked', 'subjects', 'audit_pending'])
    await env.postgres.pool.query(`delete from ${table}`);
});

const user = { team: 'T1', userId: 'U1', tenant: 'acme' };
const email = 'ada@example.com';
const maxAgeDays = 30;
const follow = (address = email) => links.follow(user, address, maxAgeDays);

/** A subject whose newest token with the address is so old. */
const subject = (name: string, { address = email, ageDays = 0, tenant = 'acme' } = {}) =>
  env.postgres.pool.query(
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at, email, email_at)
     values ($1, $2, 'person', '{}', now(), now(), $3, now() - $4 * interval '1 day')`,
    [tenant, name, address, ageDays],
  );
/** A link that the person has made. */
const ownLink = (name: string, ageDays = 0) =>
  env.postgres.pool.query(
    `insert into slack_links (team, user_id, tenant, subject, linked_at)
     values ('T1', 'U1', 'acme', $1, now() - $2 * interval '1 day')`,
    [name, ageDays],
  );
const entries = async () => {
  const { rows } = await env.postgres.pool.query('select action, subject from audit_pending order by id');
  return rows.map((row) => [row.action, row.subject]);
};
const made = (name: string) => ({
  link: expect.objectContaining({ tenant: 'acme', subject: name, madeBy: 'email' }),
  isAmbiguous: false,
  changes: ['made'],
});
const none = { link: undefined, isAmbiguous: false, changes: [] };

test('a Slack user is the subject that a link names, in its own workspace', async () => {
  await env.postgres.pool.query("insert into slack_links values ('T1', 'U1', 'acme', 'anna')");
  expect(await links.find('T1', 'U1')).toEqual({
    tenant: 'acme',
    subject: 'anna',
    madeBy: 'sign_in',
    signedInAt: expect.any(Date),
  });
  expect(await links.find('T2', 'U1')).toBeUndefined();
});

test('an address links with the only subject of the tenant that has it, once', async () => {
  await subject('ada');
  await subject('of-globex', { tenant: 'globex' });
  const both = await Promise.all([follow(), follow()]);
  expect(both.flatMap(({ changes }) => changes)).toEqual(['made']);
  expect(both).toMatchObject([{ link: { subject: 'ada' } }, { link: { subject: 'ada' } }]);
  expect(await follow()).toMatchObject({ link: { subject: 'ada' }, changes: [] });
  expect(await entries()).toEqual([['slack.link.email', 'ada']]);
});

test('an address of no subject, of several, or of one that has not signed in for long links with none', async () => {
  expect(await follow()).toEqual(none);
  await subject('old', { ageDays: maxAgeDays + 1 });
  expect(await follow()).toEqual(none);
  await subject('young');
  expect(await follow()).toEqual({ ...none, isAmbiguous: true });
  expect(await entries()).toEqual([]);
});

test.each<[string, string, string | undefined]>([
  ['the address moves to another subject at the provider', `update subjects set email = null`, email],
  [
    'another subject gets the same one',
    `insert into subjects (tenant, subject, kind, roles, issued_at, expires_at, email, email_at)
     select tenant, 'twin', kind, roles, issued_at, expires_at, email, email_at from subjects`,
    email,
  ],
  ['Slack names another one', 'select 1', 'eve@example.com'],
  ['none counts any more, as when the setting is off', 'select 1', undefined],
  [
    'the workspace has another tenant',
    `update slack_links set tenant = 'globex'; update subjects set tenant = 'globex'`,
    email,
  ],
])('a link by address ends when %s', async (_, change, address) => {
  await subject('ada');
  await follow();
  await env.postgres.pool.query(change);
  expect(await links.follow(user, address, maxAgeDays)).toMatchObject({ link: undefined, changes: ['ended'] });
  expect(await entries()).toEqual([
    ['slack.link.email', 'ada'],
    ['slack.unlink.email', 'ada'],
  ]);
  expect(await links.follow(user, address, maxAgeDays)).toMatchObject({ link: undefined, changes: [] });
});

test('when Slack names the address of another subject, the link becomes one with that', async () => {
  await subject('ada');
  await subject('eve', { address: 'eve@example.com' });
  await follow();
  expect(await follow('eve@example.com')).toMatchObject({ link: { subject: 'eve' }, changes: ['ended', 'made'] });
});

test('a link whose subject has not signed in for long stays, with the time of its last sign-in', async () => {
  await subject('ada', { ageDays: 10 });
  await follow();
  await env.postgres.pool.query(`update subjects set email_at = '2026-01-01', issued_at = now()`);
  expect(await follow()).toMatchObject({ link: { signedInAt: new Date('2026-01-01') }, changes: [] });
});

test('a link that the person has made goes first, and counts from its making or the newest token', async () => {
  await subject('ada');
  await subject('own', { address: 'other@example.com' });
  await ownLink('own', 3);
  expect(await follow()).toMatchObject({ link: { subject: 'own', madeBy: 'sign_in' }, changes: [] });
  await env.postgres.pool.query(`update subjects set issued_at = '2026-01-01'`);
  const byMaking = (await follow()).link?.signedInAt.getTime() ?? 0;
  expect(Math.round((Date.now() - byMaking) / 86_400_000)).toBe(3);
  expect(await links.follow(user, undefined, maxAgeDays)).toMatchObject({ link: { subject: 'own' }, changes: [] });
});

test('a link that the person has made with another tenant gives way to the address in this one', async () => {
  await subject('ada');
  await env.postgres.pool.query(
    "insert into slack_links (team, user_id, tenant, subject) values ('T1', 'U1', 'globex', 'old')",
  );
  expect(await follow()).toMatchObject({ link: { tenant: 'acme', subject: 'ada' }, changes: ['ended', 'made'] });
  expect(await entries()).toEqual([
    ['slack.unlink.email', 'old'],
    ['slack.link.email', 'ada'],
  ]);
});

test('a link of another tenant stays where the address makes none', async () => {
  await env.postgres.pool.query(
    "insert into slack_links (team, user_id, tenant, subject) values ('T1', 'U1', 'globex', 'old')",
  );
  expect(await follow()).toEqual(none);
  expect(await links.find('T1', 'U1')).toMatchObject({ tenant: 'globex', subject: 'old' });
});

test('after an unlink the address makes no link, until the person links itself', async () => {
  await subject('ada');
  await follow();
  expect(await linking.unlink('T1', 'U1')).toEqual({ tenant: 'acme', subject: 'ada' });
  expect(await follow()).toEqual(none);
  await subject('twin');
  expect(await follow()).toEqual(none);
  await env.postgres.pool.query(`delete from subjects where subject = 'twin'`);

  const request = { ...user, userName: 'Ada', workspace: 'Acme' };
  await linking.begin(request, Buffer.from('code'), 60_000);
  await linking.confirm(Buffer.from('code'), { tenant: 'acme', subject: 'countess' }, Buffer.from('digits'));
  expect(await linking.finish('T1', 'U1', Buffer.from('digits'))).toMatchObject({ linked: { subject: 'countess' } });
  expect(await follow()).toMatchObject({ link: { subject: 'countess', madeBy: 'sign_in' }, changes: [] });
  await env.postgres.pool.query('delete from slack_links');
  expect(await follow()).toEqual(made('ada'));
});

test('an unlink and a message at the same moment leave no link', async () => {
  await subject('ada');
  for (let round = 0; round < 10; round++) {
    await env.postgres.pool.query('delete from slack_unlinked; delete from slack_links');
    await Promise.all([follow(), linking.unlink('T1', 'U1'), follow()]);
    expect(await links.find('T1', 'U1')).toBeUndefined();
  }
});

test('an operator who ends the links of a subject and a message at the same moment leave no link', async () => {
  for (let round = 0; round < 10; round++) {
    await env.postgres.pool.query('delete from slack_unlinked; delete from slack_links; delete from subjects');
    await subject('ada');
    await Promise.all([follow(), endSlackLinks(env.postgres.db, { subject: 'ada' }), follow()]);
    expect(await links.find('T1', 'U1')).toBeUndefined();
    expect(await follow()).toEqual(none);
  }
});
