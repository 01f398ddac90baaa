import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSlackInstallations } from '../../adapters/postgres/slack/slack-installations.ts';
import { describeInstallations } from '../../cli/slack/check-database.ts';
import { checkTokens } from '../../cli/slack/check-tokens.ts';
import { createFakeSlack } from '../../deploy/slack/fake/fake-slack.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { alfred } from './run-alfred.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
  const installations = createSlackInstallations(env.postgres.db, () => [
    '0123456789abcdefghijklmnopqrstuvwxyzABCDEFG=',
  ]);
  for (const [team, name] of [
    ['T1', 'Globex'],
    ['T2', 'Initech'],
  ] as const)
    await installations.store({
      team,
      name,
      botId: 'B1',
      botUserId: 'U0',
      installedBy: 'U1',
      token: `xoxb-of-${team}`,
    });
});
afterAll(() => env?.close());

const run = (...args: string[]) =>
  alfred(['slack', 'workspaces', ...args], {
    DATABASE_URL: env.config.DATABASE_URL,
    ALFRED_AUDIT: 'off',
    NO_COLOR: '1',
  });

test('an operator sees who has installed Alfred, lets a workspace in, and removes it', async () => {
  const listed = await run();
  expect(listed.stdout).toMatch(/T1 +Globex +waits to be let in .*U1/);
  expect(listed.stdout).not.toContain('xoxb');
  const unknown = await run('allow', 'T1', '--tenant', 'globex');
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('alfred tenants add globex') });

  await env.postgres.pool.query("insert into tenants (name) values ('globex')");
  const allowed = await run('allow', 'T1', '--tenant', 'globex', '--json');
  expect(JSON.parse(allowed.stdout)).toMatchObject({ team: 'T1', state: 'allowed', tenant: 'globex' });
  expect((await run('remove', 'T2')).stdout).toContain('The token of T2 (Initech) is deleted.');
  const { workspaces } = JSON.parse((await run('list', '--json')).stdout) as { workspaces: object[] };
  expect(workspaces).toMatchObject([
    { team: 'T1', state: 'allowed', tenant: 'globex' },
    { team: 'T2', state: 'ended' },
  ]);
  expect(JSON.stringify(workspaces)).not.toContain('token');
  for (const args of [
    ['allow', 'T2', '--tenant', 'local'],
    ['remove', 'T9'],
  ])
    expect(await run(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining('has not installed Alfred') });
  expect(await run('remove', 'globex')).toMatchObject({ code: 2, stderr: expect.stringContaining('T0123ABCD') });
});

test('with another tenant the links of its people end, with an entry for each', async () => {
  const { DATABASE_URL, ALFRED_DATA_DIR } = env.config;
  const variables = { DATABASE_URL, ALFRED_DATA_DIR, NO_COLOR: '1' };
  await env.postgres.pool.query(
    "insert into slack_links (team, user_id, tenant, subject) values ('T1', 'U1', 'globex', 'ada')",
  );
  const allowed = await alfred(['slack', 'workspaces', 'allow', 'T1', '--tenant', 'local'], variables);
  expect(allowed).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('1 link of its people with another tenant ended.'),
  });
  // The log is empty, so entries wait for the API.
  const { rows } = await env.postgres.pool.query('select tenant, action, resource_id from audit_pending order by id');
  expect(rows).toEqual([
    { tenant: 'globex', action: 'slack.unlink', resource_id: 'T1:U1' },
    { tenant: 'globex', action: 'slack.workspace.remove', resource_id: 'T1' },
    { tenant: 'local', action: 'slack.workspace.allow', resource_id: 'T1' },
  ]);
});

describe('with Slack', () => {
  const slack = createFakeSlack();
  const key = randomBytes(32).toString('base64');
  beforeAll(() => slack.start());
  afterAll(() => slack.stop());
  const withSlack = (args: string[], more: Record<string, string> = {}) =>
    alfred(['slack', 'workspaces', ...args], {
      DATABASE_URL: env.config.DATABASE_URL,
      ALFRED_AUDIT: 'off',
      NO_COLOR: '1',
      SLACK_API_URL: slack.apiUrl,
      SLACK_APP_TOKEN: slack.app.appToken,
      ...more,
    });

  test('a workspace that is removed has a token that Slack takes no more', async () => {
    const { id, botId, botUserId, botToken } = slack.addWorkspace({ name: 'Hooli' });
    const installations = createSlackInstallations(env.postgres.db, () => [key]);
    await installations.store({ team: id, name: 'Hooli', botId, botUserId, installedBy: 'U1', token: botToken });
    const removed = await withSlack(['remove', id], {
      SLACK_CLIENT_ID: slack.app.clientId,
      SLACK_CLIENT_SECRET: slack.app.clientSecret,
      SLACK_PUBLIC_URL: 'https://alfred.example.com',
      SLACK_INSTALLATION_KEY: key,
    });
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('Slack takes it no more') });
    expect(slack.calls.map(({ method, workspace, outcome }) => ({ method, workspace, outcome }))).toEqual([
      { method: 'auth.revoke', workspace: id, outcome: 'ok' },
    ]);
  });

  test('the workspace of the bot token gets no second tenant', async () => {
    const { id, botId, botUserId, botToken } = slack.workspace;
    const installations = createSlackInstallations(env.postgres.db, () => [key]);
    await installations.store({ team: id, name: 'Acme', botId, botUserId, installedBy: 'U1', token: botToken });
    const refused = await withSlack(['allow', id, '--tenant', 'globex'], { SLACK_BOT_TOKEN: botToken });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is the workspace of SLACK_BOT_TOKEN') });
    expect((await installations.find(id))?.state).toBe('pending');
  });
});

test('the doctor counts workspaces, and asks for no bot token where they install Alfred', () => {
  expect(describeInstallations([])).toEqual([]);
  expect(describeInstallations([{ state: 'allowed' }])).toMatchObject([
    { state: 'ok', message: '1 installed workspace let in' },
  ]);
  expect(describeInstallations([{ state: 'pending' }, { state: 'ended' }])).toMatchObject([
    { state: 'unknown', advice: expect.stringContaining('who has installed each') },
  ]);
  const { findings } = checkTokens({ SLACK_CLIENT_ID: '1.2', SLACK_APP_TOKEN: 'xapp-1-A' });
  expect(findings.map(({ state }) => state)).toEqual(['ok', 'ok']);
});
