import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSlackLinking } from '../../adapters/postgres/slack/slack-linking.ts';
import { hashSlackLinkCode, hashSlackLinkDigits } from '../../runtime/slack-link-code.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
  await env.postgres.pool.query(`
    insert into slack_links (team, user_id, tenant, subject, made_by, linked_at) values
      ('T1', 'U1', 'acme', 'anna', 'sign_in', '2026-11-01T08:30:00Z'),
      ('T2', 'U9', 'acme', 'anna', 'email', '2026-11-02T08:30:00Z'),
      ('T1', 'U2', 'acme', 'bert', 'sign_in', '2026-11-01T08:30:00Z'),
      ('T3', 'U3', 'globex', 'bert', 'sign_in', '2026-11-01T08:30:00Z');
    insert into subjects (tenant, subject, kind, roles, issued_at, expires_at, email, email_at) values
      ('acme', 'anna', 'person', '{}', now(), now(), 'anna@example.com', now()),
      ('acme', 'cora', 'person', '{}', now(), now(), 'cora@example.com', now()),
      ('acme', 'dora', 'person', '{}', now(), now(), 'dora@example.com', now()),
      ('globex', 'dora', 'person', '{}', now(), now(), 'dora@example.com', now())`);
});
afterAll(() => env?.close());

const operator = (...args: string[]) => {
  const { DATABASE_URL, ALFRED_DATA_DIR } = env.config;
  return alfred(['slack', ...args], { DATABASE_URL, ALFRED_DATA_DIR, NO_COLOR: '1' });
};
const left = async () =>
  (await env.postgres.pool.query('select user_id from slack_links order by user_id')).rows.map((row) => row.user_id);
/** Whose addresses are kept. */
const addresses = async () =>
  (await env.postgres.pool.query('select subject from subjects where email is not null order by subject')).rows.map(
    (row) => row.subject,
  );
/** The log is empty, so entries wait for the API. */
const entries = async () =>
  (
    await env.postgres.pool.query(
      'select tenant, subject, via, action, resource_type, resource_id, outcome from audit_pending order by id',
    )
  ).rows;

test('an operator lists links, and ends those of a person with an entry for each, also what would become a link', async () => {
  const listed = await operator('links', '--subject', 'anna');
  expect(listed.stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['SLACK USER', 'TENANT', 'SUBJECT', 'MADE BY', 'LINKED'],
    ['T1/U1', 'acme', 'anna', 'sign-in', '2026-11-01 08:30'],
    ['T2/U9', 'acme', 'anna', 'e-mail', '2026-11-02 08:30'],
    [''],
  ]);
  // A page was confirmed, and the Slack user has not brought the digits yet.
  const linking = createSlackLinking(env.postgres.db);
  const request = { team: 'T1', userId: 'U7', tenant: 'acme', userName: 'Anna', workspace: 'Acme' };
  await linking.begin(request, hashSlackLinkCode('code'), 600_000);
  const digits = hashSlackLinkDigits('T1', 'U7', '12345678');
  expect(await linking.confirm(hashSlackLinkCode('code'), { tenant: 'acme', subject: 'anna' }, digits)).toBe(true);

  const ended = await operator('unlink', '--subject', 'anna', '--json');
  expect(JSON.parse(ended.stdout)).toMatchObject({ ended: [{ userId: 'U1' }, { userId: 'U9' }] });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  // An address makes no link again: neither that of the subject, nor that of one of these Slack users.
  expect(await addresses()).toEqual(['cora', 'dora', 'dora']);
  const { rows: unlinked } = await env.postgres.pool.query('select user_id from slack_unlinked order by user_id');
  expect(unlinked).toEqual([{ user_id: 'U1' }, { user_id: 'U9' }]);
  expect(await left()).toEqual(['U2', 'U3']);
  expect(await linking.finish('T1', 'U7', digits)).toBe('none');
  const entry = { tenant: 'acme', subject: `unverified:${userInfo().username}`, via: 'cli', action: 'slack.unlink' };
  expect(await entries()).toEqual(
    ['T1:U1', 'T2:U9'].map((id) => ({ ...entry, resource_type: 'slack_user', resource_id: id, outcome: 'ok' })),
  );
});

test('one Slack user is named as the list or the audit log names it; what is not clear ends nothing', async () => {
  const unclear = await operator('unlink', '--subject', 'bert');
  expect(unclear).toMatchObject({ code: 2, stderr: expect.stringContaining('the tenants acme, globex') });
  for (const args of [[], ['T1/U2', '--subject', 'bert'], ['U2'], ['T1/U2', '--tenant', 'acme']])
    expect(await operator('unlink', ...args)).toMatchObject({ code: 2, stdout: '' });
  expect(await left()).toEqual(['U2', 'U3']);
  const ended = await operator('unlink', 'T1:U2');
  expect(ended).toMatchObject({ code: 0, stdout: 'T1/U2 is not linked with bert of acme any more.\n' });
  const again = await operator('unlink', 'T1/U2');
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('T1/U2 has no link. `alfred slack links`') });
  expect(JSON.parse((await operator('links', '--json')).stdout)).toEqual({
    links: [
      {
        team: 'T3',
        userId: 'U3',
        tenant: 'globex',
        subject: 'bert',
        madeBy: 'sign_in',
        linkedAt: '2026-11-01T08:30:00.000Z',
      },
    ],
    nextCursor: null,
  });
});

test('a subject without a link loses its address, in the tenant that is named', async () => {
  const unclear = await operator('unlink', '--subject', 'dora');
  expect(unclear).toMatchObject({ code: 2, stderr: expect.stringContaining('in the tenants acme, globex') });
  expect(await operator('unlink', '--subject', 'dora', '--tenant', 'globex')).toMatchObject({
    code: 0,
    stdout: 'The e-mail address of dora links no one until its next sign-in.\n',
  });
  expect(await operator('unlink', '--subject', 'cora')).toMatchObject({ code: 0 });
  expect(await addresses()).toEqual(['dora']);
  expect(await operator('unlink', '--subject', 'cora')).toMatchObject({ code: 1 });
});
