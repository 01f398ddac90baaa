import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { confirmSignIn } from '../../cli/login/confirm-sign-in.ts';
import { signInMetadataPath } from '../../contract/sign-in-metadata.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { audience, startOidcServer, type OidcServer } from '../support/identity/oidc-server.ts';
import { alfred, runAlfred, type CommandResult } from './run-alfred.ts';

const people = { ada: { roles: ['developer'], groups: ['staff'] } };
let oidc: OidcServer;
let api: ApiHarness;
let home: string;
beforeAll(async () => {
  oidc = await startOidcServer(people);
  api = await createApiHarness({
    OIDC_ISSUER: oidc.issuer,
    OIDC_AUDIENCE: audience,
    OIDC_TENANT: 'acme',
    OIDC_CLI_CLIENT_ID: 'cli',
  });
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'alfred-login-'));
});
afterAll(async () => {
  await api?.close();
  await oidc?.close();
});

const environment = (more: Record<string, string> = {}) => ({
  ALFRED_URL: api.url,
  XDG_CONFIG_HOME: home,
  NO_COLOR: '1',
  ...more,
});
const run = (...args: string[]) => alfred(args, environment());
const folder = () => join(home, 'alfred', 'sign-ins');
/** Locks stay beside them, empty. */
const signIns = async () => (await readdir(folder())).filter((name) => name.endsWith('.json'));
const file = async () => join(folder(), (await signIns())[0] ?? '');
type Stored = { accessToken: string; refreshToken: string; issuedAt: number; expiresAt: number };
const stored = async () => JSON.parse(await readFile(await file(), 'utf8')) as Stored;
const change = async (changes: Partial<Stored>) =>
  writeFile(await file(), JSON.stringify({ ...(await stored()), ...changes }));
/** Says of the stored token that it was issued an hour ago, so that a minute before its end is near its end. */
const endIn = (ms: number) => change({ issuedAt: Date.now() - 3_600_000, expiresAt: Date.now() + ms });
const tokenRequests = () => oidc.requests.filter((url) => url === '/token').length;

/** Runs `alfred login`, and decides in the browser. */
async function login(decision: 'confirm' | 'abort' = 'confirm', ...args: string[]): Promise<CommandResult> {
  const command = runAlfred(['login', ...args], environment());
  let text = '';
  command.child.stderr.on('data', (part: string) => (text += part));
  await command.waitForOutput('user_code=');
  await oidc.decideDevice(/http\S+user_code=\S+/.exec(text)?.[0] ?? '', 'ada', decision);
  return command.done;
}

test('login signs in by the browser, at the provider that the API names, and logout ends it there too', async () => {
  const { code, stdout, stderr } = await login('confirm', '--json');
  expect([code, JSON.parse(stdout || '{}')]).toMatchObject([0, { subject: 'ada', tenant: 'acme', via: 'oidc' }]);
  expect(stderr).toContain(`Signing in to Alfred at ${api.url}, with ${oidc.issuer}.`);
  expect([(await stat(await file())).mode & 0o777, (await stat(folder())).mode & 0o777]).toEqual([0o600, 0o700]);
  expect((await run('whoami')).stdout).toMatch(/subject +ada\ntenant +acme\n[^]*roles +developer\ngroups +staff\n/);
  expect(await run('whoami', '--token')).toMatchObject({ code: 0, stdout: `${(await stored()).accessToken}\n` });

  const { refreshToken } = await stored();
  expect(await run('logout')).toMatchObject({ code: 0, stderr: `Signed out of Alfred at ${api.url}.\n` });
  expect(await signIns()).toEqual([]);
  const refused = await fetch(`${oidc.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli', refresh_token: refreshToken }),
  });
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
  const unknown = await run('whoami');
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('Run `alfred login`')]);
  expect(await run('whoami', '--token')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/no token.*Run `alfred login`/),
  });
  expect((await run('logout')).stderr).toBe(`You were not signed in to Alfred at ${api.url} with \`alfred login\`.\n`);
});

test('a token near its end is replaced once, by however many commands at once; ALFRED_TOKEN counts before it', async () => {
  await login();
  const before = await stored();
  await endIn(1_000);
  const requests = tokenRequests();
  const results = await Promise.all([1, 2, 3].map(() => run('whoami', '--json')));
  expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(3).fill({ code: 0, stderr: '' }));
  expect(tokenRequests() - requests).toBe(1);
  const after = await stored();
  expect([after.refreshToken === before.refreshToken, after.accessToken === before.accessToken]).toEqual([
    false,
    false,
  ]);
  expect(await signIns()).toHaveLength(1);

  const other = await alfred(['whoami'], environment({ ALFRED_TOKEN: 'not-a-token' }));
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('because ALFRED_TOKEN is set')]);

  // The provider is away: what still counts is used, and what is over is not.
  oidc.shut();
  await endIn(20_000);
  expect(await run('whoami', '--json')).toMatchObject({ code: 0, stderr: '' });
  await endIn(-1);
  const away = await run('whoami');
  oidc.open();
  expect([away.code, away.stderr]).toEqual([
    1,
    expect.stringContaining(`The identity provider ${oidc.issuer} does not answer`),
  ]);

  // A refresh token of before: the provider takes none twice, and ends the sign-in.
  await change({ refreshToken: before.refreshToken });
  const ended = await run('whoami');
  expect([ended.code, ended.stderr]).toEqual([
    1,
    `${oidc.issuer} has ended your sign-in at ${api.url}/. Run \`alfred login\` again.\n`,
  ]);
});

test('a sign-in that is refused in the browser, or given up by Ctrl-C, leaves nothing behind', async () => {
  const { code, stderr } = await login('abort');
  expect([code, stderr]).toEqual([1, expect.stringContaining('refused in the browser. Nothing was stored.')]);
  const given = runAlfred(['login'], environment());
  await given.waitForOutput('user_code=');
  given.child.kill('SIGINT');
  expect(await given.done).toMatchObject({ code: 130, stderr: expect.stringContaining('was given up') });
  expect(await readdir(home)).toEqual([]);
});

test('what cannot work is reported before a browser is needed', async () => {
  const metadata = await fetch(api.url + signInMetadataPath);
  expect([metadata.status, await metadata.json()]).toMatchObject([
    200,
    {
      resource: api.url,
      authorization_servers: [oidc.issuer],
      alfred_device_sign_in: [{ issuer: oidc.issuer, client_id: 'cli', parameters: { resource: audience } }],
    },
  ]);
  const loginTo = async (args: string[], url = api.url) => {
    const { code, stderr } = await alfred(['login', ...args], environment({ ALFRED_URL: url }));
    return [code, stderr];
  };
  expect(await loginTo(['--issuer', 'https://evil.example'])).toEqual([
    2,
    expect.stringContaining(`does not trust https://evil.example. It trusts ${oidc.issuer}.`),
  ]);
  expect(await loginTo(['--client-id', 'unknown'])).toEqual([
    1,
    expect.stringContaining('does not let the client "unknown" sign people in'),
  ]);
  expect(await loginTo([], 'http://alfred.example.com')).toEqual([
    2,
    expect.stringContaining('could be read on the way'),
  ]);
  expect(await loginTo([], 'http://127.0.0.1:1')).toEqual([1, expect.stringContaining('does not answer at')]);
  oidc.shut();
  const away = await loginTo([]);
  oidc.open();
  expect(away).toEqual([1, expect.stringContaining(`The identity provider ${oidc.issuer} does not answer`)]);
  await rm(home, { recursive: true });
});

test('an API that names another address, or parameters of its own, gets no sign-in', async () => {
  let metadata: object = {};
  const server = createServer((_request, response) => response.end(JSON.stringify(metadata)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const outcome = async (resource: string, parameters: object) => {
    const issuer = oidc.issuer;
    metadata = {
      resource,
      authorization_servers: [issuer],
      alfred_device_sign_in: [{ issuer, client_id: 'cli', parameters }],
    };
    const asked = oidc.requests.length;
    const { code, stderr } = await alfred(['login', '--yes'], environment({ ALFRED_URL: url }));
    return [code, oidc.requests.length - asked, stderr];
  };
  expect(await outcome('https://alfred.example.com', { scope: 'openid' })).toEqual([
    1,
    0,
    expect.stringContaining('says that its address is https://alfred.example.com'),
  ]);
  for (const parameters of [
    { scope: 'openid', request_uri: 'https://evil.example' },
    { scope: 'openid\nadmin' },
    { resource: 'urn:other' },
    { audience: '' },
  ])
    expect(await outcome(url, parameters)).toEqual([
      1,
      0,
      expect.stringContaining('Only scope, audience and resource'),
    ]);
  await new Promise((resolve) => server.close(resolve).closeAllConnections());
});

test('the first sign-in at an address of another machine is shown and asked about; without a terminal it is refused', async () => {
  const device = { issuer: 'https://id.example.com', client_id: 'cli', parameters: { scope: 'openid offline_access' } };
  const known = {
    api: 'https://alfred.example.com/',
    issuer: device.issuer,
    clientId: 'cli',
    parameters: device.parameters,
    accessToken: 'a',
    issuedAt: 0,
    expiresAt: 0,
  };
  async function ask(answer: string | undefined, changes: Partial<Parameters<typeof confirmSignIn>[0]> = {}) {
    const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
    input.end(answer);
    const lines: string[] = [];
    const given = { url: 'https://alfred.example.com', device, before: undefined, isConfirmed: false };
    const { signal } = new AbortController();
    const terminal = { note: (line: string) => void lines.push(line) };
    const outcome = await confirmSignIn({ ...given, signal, ...changes }, terminal, {
      input,
      output: new PassThrough(),
    }).then(
      () => 'goes on',
      (error: Error) => error.message,
    );
    expect(lines.join(' ')).toMatch(/https:\/\/id\.example\.com.*the client cli, the scope "openid/);
    return outcome;
  }
  expect([await ask('y\n'), await ask('Yes\n')]).toEqual(['goes on', 'goes on']);
  for (const answer of ['n\n', '\n', ''])
    expect(await ask(answer)).toBe('The sign-in was not confirmed. Nothing was stored.');
  expect(await ask(undefined)).toContain('add --yes');
  expect(await ask(undefined, { isConfirmed: true })).toBe('goes on');
  expect(await ask(undefined, { before: known })).toBe('goes on');
  expect(await ask(undefined, { before: { ...known, parameters: { scope: 'openid admin' } } })).toContain('add --yes');
  expect(await ask(undefined, { url: 'http://127.0.0.1:8080' })).toBe('goes on');
});

test('another sign-in ends the one of before at the provider, unless both may be of one session there', async () => {
  const revocations = () => oidc.requests.filter((url) => url === '/token/revocation').length;
  const revokes = async (sid: string | undefined) => {
    Object.assign(people.ada, { sid });
    const before = revocations();
    expect(await login()).toMatchObject({ code: 0 });
    return revocations() - before;
  };
  expect(await revokes('session-1')).toBe(0);
  expect(await revokes('session-1')).toBe(0);
  expect(await revokes('session-2')).toBe(1);
  // Neither is known of a token that names no session.
  expect(await revokes(undefined)).toBe(0);
  expect(await run('whoami', '--json')).toMatchObject({ code: 0 });
});
