import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createSlackChannels } from '../../../../adapters/postgres/slack/slack-channels.ts';
import { createSlackFiles } from '../../../../adapters/postgres/slack/slack-files.ts';
import { createSlackInstallations } from '../../../../adapters/postgres/slack/slack-installations.ts';
import { createSlackPosts } from '../../../../adapters/postgres/slack/slack-posts.ts';
import { createSlackUserLinks } from '../../../../adapters/postgres/slack/slack-user-links.ts';
import { ConfigError } from '../../../../runtime/config.ts';
import { checkInstallations } from '../../../../slack/workspaces/check-installations.ts';
import { createTestEnvironment, type TestEnvironment } from '../../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
beforeEach(async () => {
  await env.postgres.pool.query('delete from slack_installations');
});
afterAll(() => env?.close());

const newKey = () => randomBytes(32).toString('base64');
const [first, second] = [newKey(), newKey()];
const withKeys = (...keys: string[]) => createSlackInstallations(env.postgres.db, () => keys);
const installation = (team: string) => ({
  team,
  name: 'Globex',
  botId: 'B1',
  botUserId: 'UBOT',
  installedBy: 'U1',
  token: `xoxb-of-${team}`,
});

test('a token is read with its key, in its row alone', async () => {
  const installations = withKeys(first);
  await installations.store(installation('T1'));
  await installations.store(installation('T2'));
  expect((await installations.find('T1'))?.token).toBe('xoxb-of-T1');
  expect((await withKeys(second).find('T1'))?.token).toBeUndefined();
  await env.postgres.pool.query(
    "update slack_installations set token = (select token from slack_installations where team = 'T2') where team = 'T1'",
  );
  expect((await installations.find('T1'))?.token).toBeUndefined();
});

test('a door with another key does not start, and says what to do; no token is in the message', async () => {
  await withKeys(first).store(installation('T1'));
  const failure = await checkInstallations(withKeys(second), env.log).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigError);
  const { message } = failure as Error;
  expect(message).toMatch(/SLACK_INSTALLATION_KEY does not open .* T1\. .*alfred slack workspaces remove/);
  for (const secret of [first, second, 'xoxb']) expect(message).not.toContain(secret);
});

test('with a new key before the old one all tokens are encrypted again, and the old key is not needed', async () => {
  await withKeys(first).store(installation('T1'));
  await checkInstallations(withKeys(second, first), env.log);
  expect((await withKeys(second).find('T1'))?.token).toBe('xoxb-of-T1');
  expect((await withKeys(first).find('T1'))?.token).toBeUndefined();
  await checkInstallations(withKeys(second), env.log);
});

test('a state counts once, with its key, and until its time is over', async () => {
  const installations = withKeys(first);
  const state = installations.issueState(60_000);
  expect(await withKeys(second).useState(state)).toBe(false);
  // Other spellings of the same bytes are the same state.
  const tries = await Promise.all([state, `${state}=`, `${state}\n`].map((text) => installations.useState(text)));
  expect(tries.toSorted()).toEqual([false, false, true]);
  expect(await installations.useState(installations.issueState(-1))).toBe(false);
  expect(await installations.useState('')).toBe(false);
});

test('one that is allowed stays so when it installs Alfred again, and waits again after an end', async () => {
  const installations = withKeys(first);
  expect(await installations.store(installation('T1'))).toBe('pending');
  expect(await installations.allow('T1', 'globex')).toMatchObject({ state: 'allowed', tenant: 'globex' });
  expect(await installations.store({ ...installation('T1'), token: 'xoxb-new' })).toBe('allowed');
  expect(await installations.find('T1')).toMatchObject({ tenant: 'globex', token: 'xoxb-new' });
  expect(await installations.end('T1')).toMatchObject({ state: 'ended', tenant: 'globex' });
  expect((await installations.find('T1'))?.token).toBeUndefined();
  expect(await installations.end('T1')).toBeUndefined();
  expect(await installations.allow('T1', 'globex')).toBeUndefined();
  expect(await installations.store(installation('T1'))).toBe('pending');
  expect(await installations.find('T1')).toMatchObject({ tenant: null, allowedAt: null, endedAt: null });
});

test('an event from before an installation does not end it', async () => {
  const installations = withKeys(first);
  await installations.store(installation('T1'));
  expect(await installations.end('T1', new Date(Date.now() - 60_000))).toBeUndefined();
  expect(await installations.end('T1', new Date())).toMatchObject({ state: 'ended' });
});

test('with another tenant, what a workspace had from the first one is forgotten', async () => {
  const installations = withKeys(first);
  await installations.store(installation('T1'));
  await installations.allow('T1', 'globex');
  await env.postgres.pool.query(
    "insert into slack_links (team, user_id, tenant, subject) values ('T1', 'U1', 'globex', 'ada'), ('T2', 'U1', 'globex', 'ada')",
  );
  const posts = createSlackPosts(env.postgres.db);
  const post = { tenant: 'globex', subject: 's', agent: 'knowledge', channel: 'C1', userId: 'U1', questionTs: '1.0' };
  const taskIds = { T1: uuidv7(), T2: uuidv7() };
  for (const [team, taskId] of Object.entries(taskIds))
    await posts.create({ ...post, id: uuidv7(), taskId, team, threadTs: '1.0' });
  const files = createSlackFiles(env.postgres.db);
  const file = { name: 'a.txt', documentName: 'slack/1/a.txt', documentId: null, problem: null };
  const message = { channel: 'C1', threadTs: '1.0', ts: '1.0' };
  for (const team of ['T1', 'T2']) {
    await files.begin({ ...message, team }, post, [{ ...file, fileId: `F${team}` }]);
    await files.store({ ...message, team }, [file]);
  }
  const channels = createSlackChannels(env.postgres.db);
  const channel = { tenant: 'globex', team: 'T1', channel: 'C1' };
  for (const team of ['T1', 'T2']) await channels.change({ ...channel, team }, { isOn: false }, 'ada');
  expect(await channels.find({ ...channel, tenant: 'initech' })).toMatchObject({ isOn: true });
  expect(await installations.allow('T1', 'globex')).toMatchObject({ endedLinks: [] });
  expect(await posts.claimable('T1')).toBe(1);
  const endedLinks = [{ tenant: 'globex', subject: 'ada', userId: 'U1' }];
  expect(await installations.allow('T1', 'initech')).toMatchObject({ endedLinks });
  expect(await channels.find(channel)).toMatchObject({ isOn: true });
  expect(await channels.find({ ...channel, team: 'T2' })).toMatchObject({ isOn: false });
  const links = createSlackUserLinks(env.postgres.db);
  expect(await links.find('T1', 'U1')).toBeUndefined();
  expect(await links.find('T2', 'U1')).toMatchObject({ tenant: 'globex', subject: 'ada' });
  const later = { ...message, ts: '2.0' };
  expect([await files.take({ ...later, team: 'T1' }), await files.take({ ...later, team: 'T2' })]).toEqual([
    [],
    [file],
  ]);
  expect(await posts.findByTask(taskIds.T1)).toBeUndefined();
  expect(await posts.findByTask(taskIds.T2)).toMatchObject({ team: 'T2' });
});

test('those that ended long ago are deleted', async () => {
  const installations = withKeys(first);
  for (const team of ['T1', 'T2', 'T3']) await installations.store(installation(team));
  await installations.end('T1');
  await installations.end('T2');
  await env.postgres.pool.query(
    "update slack_installations set ended_at = now() - interval '41 days' where team = 'T1'",
  );
  expect(await installations.removeOld()).toBe(1);
  expect((await installations.list()).map(({ team, state }) => [team, state])).toEqual([
    ['T2', 'ended'],
    ['T3', 'pending'],
  ]);
});

test('so many wait to be let in, and no operator lets one in for so long, that it goes', async () => {
  const installations = withKeys(first);
  const stored = (state: string, days: number, from: number, to: number) =>
    env.postgres.pool.query(
      `insert into slack_installations
         (team, name, state, bot_id, bot_user_id, installed_by, token, installed_at, ended_at)
       select 'P' || n, 'n', $1, 'B', 'U', 'U', case when $1 = 'pending' then 'x'::bytea end, now() - $2 * interval '1 day',
         case when $1 = 'ended' then now() - $2 * interval '1 day' end from generate_series($3::int, $4::int) n`,
      [state, days, from, to],
    );
  await stored('pending', 13, 1, 150);
  await stored('ended', 0, 151, 199);
  expect(await installations.store(installation('T1'))).toBe('pending');
  expect(await installations.store(installation('T2'))).toBeUndefined();
  // One that is there already takes no place.
  expect(await installations.store(installation('T1'))).toBe('pending');
  expect(await installations.removeOld()).toBe(0);
  await env.postgres.pool.query(
    "update slack_installations set installed_at = installed_at - interval '2 days', ended_at = ended_at - interval '2 days'",
  );
  expect(await installations.removeOld()).toBe(199);
  expect(await installations.store(installation('T2'))).toBe('pending');
});

test('what Slack does with a workspace that is let in has its entry in the log of its tenant', async () => {
  const installations = withKeys(first);
  await env.postgres.pool.query('delete from audit_pending');
  await installations.store(installation('T1'));
  await installations.end('T1', new Date());
  await installations.store(installation('T1'));
  expect(await installations.allow('T1', 'globex')).toMatchObject({ previousTenant: null });
  expect(await installations.allow('T1', 'initech')).toMatchObject({ previousTenant: 'globex' });
  await installations.store({ ...installation('T1'), installedBy: 'U7' });
  await installations.end('T1', new Date());
  const { rows } = await env.postgres.pool.query(
    'select tenant, subject, via, action, resource_type, resource_id from audit_pending order by id',
  );
  const entry = { tenant: 'initech', via: 'slack', resource_type: 'slack_workspace', resource_id: 'T1' };
  expect(rows).toEqual([
    { ...entry, subject: 'slack:T1:U7', action: 'slack.workspace.install' },
    { ...entry, subject: 'slack:T1', action: 'slack.workspace.remove' },
  ]);
});
