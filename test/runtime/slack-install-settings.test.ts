import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { describeConfig, loadConfig } from '../../runtime/config.ts';
import { slackInstallationKeysOf } from '../../runtime/slack-install-settings.ts';
import { hasSlack, slackSettingsOf } from '../../runtime/slack-settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'alfred-slack-'));
afterAll(() => rmSync(dir, { recursive: true }));

const key = randomBytes(32).toString('base64');
const secret = '0123456789abcdef0123456789abcdef';
const all = {
  SLACK_APP_TOKEN: 'xapp-1-A',
  SLACK_CLIENT_ID: '1.2',
  SLACK_CLIENT_SECRET: secret,
  SLACK_INSTALLATION_KEY: key,
  SLACK_PUBLIC_URL: 'https://slack.example.com/',
};
const load = (variables: Record<string, string>) =>
  loadConfig({ DATABASE_URL: 'postgres://127.0.0.1/alfred', ...variables });

test('without a bot token Alfred is in Slack for those who install it', () => {
  const config = load(all);
  expect(hasSlack(config)).toBe(true);
  expect(slackSettingsOf(config)).toMatchObject({
    botToken: undefined,
    installing: { clientId: '1.2', clientSecret: secret, publicUrl: 'https://slack.example.com' },
  });
  const shown = JSON.stringify(describeConfig(config, all));
  for (const hidden of [secret, key]) expect(shown).not.toContain(hidden);
});

test('secret and keys may be in files, and the address be that of the API', () => {
  const [secretFile, keyFile] = [join(dir, 'secret'), join(dir, 'keys')];
  writeFileSync(secretFile, `${secret}\n`);
  const other = randomBytes(32).toString('base64');
  writeFileSync(keyFile, `${key}\n${other}\n`);
  const config = load({
    SLACK_APP_TOKEN: 'xapp-1-A',
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET_FILE: secretFile,
    SLACK_INSTALLATION_KEY_FILE: keyFile,
    ALFRED_PUBLIC_URL: 'https://alfred.example.com',
  });
  expect(slackSettingsOf(config)?.installing).toMatchObject({
    clientSecret: secret,
    publicUrl: 'https://alfred.example.com',
  });
  expect(slackInstallationKeysOf(config)()).toEqual([key, other]);
  writeFileSync(keyFile, 'short');
  expect(() => slackInstallationKeysOf(config)()).toThrow('SLACK_INSTALLATION_KEY_FILE names a file without keys');
});

test.each<[string, Record<string, string>, RegExp]>([
  ['the secret', { SLACK_CLIENT_SECRET: '' }, /SLACK_CLIENT_SECRET is not set: is needed with SLACK_CLIENT_ID/],
  ['the key', { SLACK_INSTALLATION_KEY: '' }, /SLACK_INSTALLATION_KEY .*is needed with SLACK_CLIENT_ID/],
  ['the address', { SLACK_PUBLIC_URL: '' }, /SLACK_PUBLIC_URL is not set: is needed with SLACK_CLIENT_ID/],
  ['what receives', { SLACK_APP_TOKEN: '' }, /SLACK_APP_TOKEN is not set: is needed with SLACK_CLIENT_ID/],
  ['the id', { SLACK_CLIENT_ID: '', SLACK_BOT_TOKEN: 'xoxb-1' }, /SLACK_CLIENT_ID is not set: is needed with/],
  ['32 bytes', { SLACK_INSTALLATION_KEY: 'short' }, /SLACK_INSTALLATION_KEY is wrong: .*32 random bytes/],
  ['an address alone', { SLACK_PUBLIC_URL: 'https://a.example/b' }, /SLACK_PUBLIC_URL is .*without a path/],
  [
    'one of the two',
    { SLACK_CLIENT_SECRET_FILE: '/x' },
    /SLACK_CLIENT_SECRET_FILE .*expected without SLACK_CLIENT_SECRET/,
  ],
])('without %s the settings are refused, with what to do', (_, change, message) => {
  expect(() => load({ ...all, ...change })).toThrow(message);
});
