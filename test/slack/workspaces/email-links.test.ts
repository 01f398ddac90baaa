import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSubjects } from '../../../adapters/postgres/identity/subjects.ts';
import { person } from '../../support/principals.ts';
import { createInstallHarness, type InstallHarness } from './install-harness.ts';

let env: InstallHarness;
beforeAll(async () => {
  env = await createInstallHarness({
    OIDC_ISSUER: 'https://idp.example.com',
    OIDC_AUDIENCE: 'https://alfred.example.com',
    OIDC_TENANT: 'acme',
    SLACK_TENANT: 'acme',
    SLACK_LINK_BY_EMAIL: 'example.com',
  });
});
afterAll(() => env?.close());

/** Records a token of the tenant with this address. */
const signIn = (subject: string, tenant: string, email: string) =>
  createSubjects(env.postgres.db, { emailDomains: env.config.SLACK_LINK_BY_EMAIL }).record({
    principal: person(subject, { tenant }),
    issuer: 'https://idp.example.com',
    issuedAt: new Date(),
    expiresAt: new Date(),
    namesGroups: false,
    email,
  });

test('a workspace that installs Alfred is asked for addresses', async () => {
  const { slackPage } = await env.begin();
  expect(new URL(slackPage).searchParams.get('scope')?.split(',')).toContain('users:read.email');
});

test('an address links only with a subject of the tenant of its workspace', async () => {
  env.script(() => ({ text: ['Yes.'] }));
  const workspace = env.slack.addWorkspace({ name: 'Globex', installed: false });
  expect((await env.install(workspace)).status).toBe(200);
  await env.slackInstallations.allow(workspace.id, 'globex');
  const user = env.slack.addUser({ name: 'ada', workspace });
  const channel = env.slack.directMessage(user, workspace).id;
  const ask = async () => {
    const { ts } = env.slack.say(user, channel, 'Is it open?');
    await env.answersIn(channel, ts);
    const { tenant, subject } = (await env.tasks()).at(-1) as { tenant: string; subject: string };
    return [tenant, subject];
  };
  await signIn('ada-of-acme', 'acme', 'ada@example.com');
  expect(await ask()).toEqual(['globex', `slack:${workspace.id}:${user.id}`]);
  await signIn('ada-of-globex', 'globex', 'ada@example.com');
  expect(await ask()).toEqual(['globex', 'ada-of-globex']);
});
