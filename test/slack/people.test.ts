import { expect, test } from '@jest/globals';
import { createPeople } from '../../slack/asking/people.ts';

const member = {
  id: 'U1',
  team_id: 'T1',
  is_email_confirmed: true,
  profile: { email: 'Ada@Example.com' },
};
const find = (user: object, domains: string[] = ['example.com']) =>
  createPeople(
    { call: async () => ({ ok: true, user }) } as unknown as Parameters<typeof createPeople>[0],
    domains,
  ).find('T1', 'U1');

test('a member has the address that Slack has confirmed, as it is compared', async () => {
  expect(await find(member)).toEqual({ kind: 'member', email: 'ada@example.com' });
  const elsewhere = { ...member, team_id: 'T2', enterprise_user: { teams: ['T1', 'T2'] } };
  expect(await find(elsewhere)).toEqual({ kind: 'member', email: 'ada@example.com' });
});

test.each<[string, object, string[]]>([
  ['is not confirmed', { is_email_confirmed: false }, ['example.com']],
  ['may not be confirmed', { is_email_confirmed: undefined }, ['example.com']],
  ['is not named, because the scope is missing', { profile: {} }, ['example.com']],
  ['is of another domain', { profile: { email: 'ada@example.net' } }, ['example.com']],
  ['is read nowhere, because the setting is off', {}, []],
  ['is that of a guest', { is_restricted: true }, ['example.com']],
  ['is that of a guest of one channel', { is_ultra_restricted: true }, ['example.com']],
  ['is that of a stranger from Slack Connect', { is_stranger: true }, ['example.com']],
  ['is that of a member of another workspace', { team_id: 'T2' }, ['example.com']],
  ['is that of a bot', { is_bot: true }, ['example.com']],
  ['is that of a deactivated person', { deleted: true }, ['example.com']],
])('an address that %s is none', async (_, changes, domains) => {
  expect(await find({ ...member, ...changes }, domains)).not.toHaveProperty('email');
});
