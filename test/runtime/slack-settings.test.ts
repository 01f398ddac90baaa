import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ConfigError, describeConfig, loadConfig } from '../../runtime/config.ts';
import { hasSlack, slackSettingsOf } from '../../runtime/slack-settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'alfred-slack-'));
afterAll(() => rmSync(dir, { recursive: true }));

const database = { DATABASE_URL: 'postgres://127.0.0.1/alfred' };
const bot = { SLACK_BOT_TOKEN: 'xoxb-1-abc' };
const load = (variables: Record<string, string>) => loadConfig({ ...database, ...variables });

test('without a token Slack is off', () => {
  expect(hasSlack(load({}))).toBe(false);
  expect(slackSettingsOf(load({ SLACK_BOT_TOKEN: '' }))).toBeUndefined();
});

test('two tokens bring Alfred into Slack, for the tenant of the user of this machine', () => {
  expect(slackSettingsOf(load({ ...bot, SLACK_APP_TOKEN: 'xapp-1-A' }))).toEqual({
    botToken: 'xoxb-1-abc',
    appToken: 'xapp-1-A',
    signingSecret: undefined,
    tenant: 'local',
    apiUrl: undefined,
  });
});

const oidc = { OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'alfred', OIDC_TENANT: 'acme' };
test.each<[string, Record<string, string>, RegExp]>([
  [
    'an app token without a bot token',
    { SLACK_APP_TOKEN: 'xapp-1-A' },
    /SLACK_BOT_TOKEN is not set: is needed with SLACK_APP_TOKEN/,
  ],
  [
    'a secret without a bot token',
    { SLACK_SIGNING_SECRET: '0123456789abcdef' },
    /SLACK_BOT_TOKEN is not set: is needed with SLACK_SIGNING_SECRET/,
  ],
  ['a bot token alone', bot, /SLACK_APP_TOKEN is not set: is needed with SLACK_BOT_TOKEN.*or SLACK_SIGNING_SECRET/],
  [
    'a token of a user',
    { SLACK_BOT_TOKEN: 'xoxp-secret', SLACK_APP_TOKEN: 'xapp-1-A' },
    /SLACK_BOT_TOKEN is wrong: .*begins with xoxb-/,
  ],
  [
    'the tokens in each other’s place',
    { SLACK_BOT_TOKEN: 'xapp-secret', SLACK_APP_TOKEN: 'xoxb-secret' },
    /SLACK_APP_TOKEN is wrong: .*begins with xapp-/,
  ],
  [
    'a token and its file',
    { ...bot, SLACK_APP_TOKEN: 'xapp-1-A', SLACK_BOT_TOKEN_FILE: '/x' },
    /SLACK_BOT_TOKEN_FILE .*expected without SLACK_BOT_TOKEN/,
  ],
  [
    'sign-in without a tenant',
    { ...bot, ...oidc, SLACK_APP_TOKEN: 'xapp-1-A' },
    /SLACK_TENANT is not set: is needed with OIDC_ISSUER/,
  ],
  [
    'a channel for alerts without a bot token',
    { SLACK_CLIENT_ID: '1.2', SLACK_APP_TOKEN: 'xapp-1-A', SLACK_ALERTS_CHANNEL: 'C0123ABCD' },
    /SLACK_BOT_TOKEN is not set: is needed with SLACK_ALERTS_CHANNEL/,
  ],
  [
    'links by e-mail without sign-in',
    { ...bot, SLACK_APP_TOKEN: 'xapp-1-A', SLACK_LINK_BY_EMAIL: 'example.com' },
    /OIDC_ISSUER is not set: is needed with SLACK_LINK_BY_EMAIL/,
  ],
  [
    'an address in place of a domain',
    { ...oidc, SLACK_LINK_BY_EMAIL: 'ada@example.com' },
    /SLACK_LINK_BY_EMAIL is .*expected domains of e-mail addresses like example.com/,
  ],
  ['all domains', { ...oidc, SLACK_LINK_BY_EMAIL: '*' }, /SLACK_LINK_BY_EMAIL is "\*"/],
])('%s is refused with what to do, and shows no token', (_, variables, message) => {
  let error: unknown;
  try {
    load(variables);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).not.toContain('secret (');
  expect((error as Error).message).not.toMatch(/xox[bp]-(1|secret)|xapp-(1|secret)/);
});

test('the domains of links by e-mail are known to an API without tokens of Slack', () => {
  expect(load({}).SLACK_LINK_BY_EMAIL).toEqual([]);
  const { SLACK_LINK_BY_EMAIL: domains } = load({ ...oidc, SLACK_LINK_BY_EMAIL: 'Example.com, example.org' });
  expect(domains).toEqual(['example.com', 'example.org']);
});

test('tokens may be in files, and a file without one is refused', () => {
  const file = join(dir, 'token');
  writeFileSync(file, 'xoxb-2-def\n');
  const variables = { SLACK_BOT_TOKEN_FILE: file, SLACK_APP_TOKEN: 'xapp-1-A' };
  expect(hasSlack(load(variables))).toBe(true);
  expect(slackSettingsOf(load(variables))?.botToken).toBe('xoxb-2-def');
  writeFileSync(file, 'nothing');
  expect(() => slackSettingsOf(load(variables))).toThrow('SLACK_BOT_TOKEN_FILE names a file without the bot token');
});

test('tokens and secret are never shown', () => {
  const variables = { ...bot, SLACK_APP_TOKEN: 'xapp-1-A', SLACK_SIGNING_SECRET: '0123456789abcdef' };
  const shown = JSON.stringify(describeConfig(load(variables), variables));
  expect(shown).not.toMatch(/xoxb-1|xapp-1|0123456789abcdef/);
});
