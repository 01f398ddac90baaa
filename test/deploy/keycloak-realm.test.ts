import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { localRealm, peopleOf, readOrCreateSecrets } from '../../deploy/local/keycloak-realm.ts';

type Client = {
  clientId: string;
  enabled: boolean;
  publicClient?: boolean;
  bearerOnly?: boolean;
  standardFlowEnabled: boolean;
  implicitFlowEnabled: boolean;
  directAccessGrantsEnabled: boolean;
  serviceAccountsEnabled: boolean;
  redirectUris: string[];
  webOrigins: string[];
  secret?: string;
  attributes?: Record<string, string>;
  protocolMappers?: { protocolMapper: string; config: Record<string, string> }[];
};
type Realm = Record<string, unknown> & { clients: Client[]; users: Record<string, unknown>[] };

const text = await readFile(new URL('../../deploy/keycloak/alfred-realm.json', import.meta.url), 'utf8');
const realm = JSON.parse(text) as Realm;
const called = (id: string) => realm.clients.find(({ clientId }) => clientId === id);

test('the realm has short tokens that rotate, https alone, a lock against guessing, and no account or secret', () => {
  expect(realm).toMatchObject({
    sslRequired: 'all',
    registrationAllowed: false,
    bruteForceProtected: true,
    permanentLockout: false,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    offlineSessionMaxLifespanEnabled: true,
    eventsEnabled: true,
  });
  expect(realm['accessTokenLifespan']).toBeLessThanOrEqual(300);
  expect(realm['accessCodeLifespan']).toBeLessThanOrEqual(60);
  expect(realm['ssoSessionMaxLifespan']).toBeLessThanOrEqual(12 * 3_600);
  expect(realm['failureFactor']).toBeLessThanOrEqual(10);
  expect(realm.users.map((user) => user['serviceAccountClientId'])).toEqual(['alfred-worker']);
  expect(text).not.toMatch(/"(secret|credentials)"/);
});

test('no client takes passwords or gives tokens without a code, and each flow is on for one kind of client only', () => {
  const on = (flow: keyof Client) => realm.clients.filter((client) => client[flow] === true).map((one) => one.clientId);
  expect([on('directAccessGrantsEnabled'), on('implicitFlowEnabled')]).toEqual([[], []]);
  expect(on('standardFlowEnabled')).toEqual(['alfred-console', 'alfred-slack', 'alfred-temporal-ui']);
  expect(on('serviceAccountsEnabled')).toEqual(['alfred-worker']);
  expect(on('bearerOnly')).toEqual(['alfred-api', 'alfred-codec']);
  expect(
    realm.clients
      .filter(({ attributes }) => attributes?.['oauth2.device.authorization.grant.enabled'] === 'true')
      .map((one) => one.clientId),
  ).toEqual(['alfred-cli']);
  // Keycloak makes the last one, with the direct grant, in a realm that does not have it. Nothing uses the others yet.
  expect(realm.clients.filter(({ enabled }) => !enabled).map((one) => one.clientId)).toEqual([
    'alfred-slack',
    'alfred-temporal-ui',
    'admin-cli',
  ]);
});

test('every sign-in of a person needs PKCE, and comes back to one address', () => {
  for (const client of realm.clients.filter((one) => one.standardFlowEnabled || one.clientId === 'alfred-cli')) {
    expect([client.clientId, client.attributes?.['pkce.code.challenge.method']]).toEqual([client.clientId, 'S256']);
    expect(client.redirectUris.concat(client.webOrigins).filter((uri) => /[*+]/.test(uri))).toEqual([]);
    if (client.standardFlowEnabled) expect([client.clientId, client.redirectUris.length]).toEqual([client.clientId, 1]);
  }
  expect(called('alfred-console')?.attributes).toMatchObject({
    'backchannel.logout.session.required': 'true',
    'post.logout.redirect.uris': expect.not.stringMatching(/[*+]/),
  });
});

test('tokens for Alfred have its audience and the groups, by their full path', () => {
  for (const id of ['alfred-cli', 'alfred-console', 'alfred-slack', 'alfred-worker']) {
    const mappers = called(id)?.protocolMappers ?? [];
    const config = (kind: string) => mappers.find(({ protocolMapper }) => protocolMapper === kind)?.config;
    expect(config('oidc-audience-mapper')).toMatchObject({
      'included.client.audience': 'alfred-api',
      'access.token.claim': 'true',
      'id.token.claim': 'false',
    });
    // By its name alone, a group below another one would count as the one at the top.
    expect(config('oidc-group-membership-mapper')).toMatchObject({ 'claim.name': 'groups', 'full.path': 'true' });
  }
  // By it Alfred recognises a service.
  expect(JSON.stringify(called('alfred-worker')?.protocolMappers)).toContain('"claim.name":"client_id"');
});

test('the local realm has people with secrets of this machine, which stay', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'alfred-realm-')), 'secrets.json');
  const secrets = await readOrCreateSecrets(file);
  expect([await readOrCreateSecrets(file), (await stat(file)).mode & 0o777]).toEqual([secrets, 0o600]);
  const local = localRealm(realm, secrets, 'http://127.0.0.1:8090');
  expect(local['sslRequired']).toBe('external');
  expect(local.users.map((user) => (user as { username: string }).username)).toEqual([
    'service-account-alfred-worker',
    'ada',
    'bert',
    'carla',
  ]);
  const consoleClient = (local.clients as Client[]).find(({ clientId }) => clientId === 'alfred-console');
  expect(consoleClient).toMatchObject({
    secret: secrets.clients['alfred-console'],
    redirectUris: ['http://127.0.0.1:8090/auth/callback'],
  });
  const passwords = peopleOf(secrets).map(({ password }) => password);
  expect(new Set(passwords).size).toBe(3);
  expect(Math.min(...passwords.map((password) => password.length))).toBeGreaterThanOrEqual(24);
});

test('the check of a Keycloak asks for the address of ALFRED_URL, and calls nothing good that it did not see', async () => {
  const asked: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', issuer());
    asked.push(url);
    // An alfred-console without this redirect address gets a page that says so, and no request gets a token.
    response.statusCode = url.pathname.endsWith('/auth') ? 400 : 200;
    response.end(JSON.stringify(url.pathname.endsWith('-configuration') ? discovery() : { error: 'invalid' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = () => `${base()}/realms/alfred`;
  const discovery = () => ({
    issuer: issuer(),
    token_endpoint: `${issuer()}/token`,
    authorization_endpoint: `${issuer()}/auth`,
  });
  try {
    const { code, stdout, stderr } = await runCheck({
      KEYCLOAK_URL: base(),
      ALFRED_URL: 'https://alfred.example.com/',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAILED {2}client credentials: it is for alfred-api$/m);
    expect(stdout).toMatch(/^FAILED {2}code: .* returns to https:\/\/alfred\.example\.com\/auth\/callback$/m);
    expect(stdout).not.toMatch(/^ok +(code|refresh|logout|lock)/m);
    expect(stderr).toContain('set ALFRED_URL, or KEYCLOAK_REDIRECT_URI');
    expect(asked.find(({ pathname }) => pathname.endsWith('/auth'))?.searchParams.get('redirect_uri')).toBe(
      'https://alfred.example.com/auth/callback',
    );
  } finally {
    server.close();
  }
});

const runCheck = (environment: Record<string, string>) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const script = fileURLToPath(new URL('../../deploy/keycloak/check.sh', import.meta.url));
    const required = {
      KEYCLOAK_USER: 'ada',
      KEYCLOAK_PASSWORD: 'p',
      KEYCLOAK_CONSOLE_SECRET: 's',
      KEYCLOAK_WORKER_SECRET: 's',
    };
    const env = { PATH: process.env['PATH'], ...required, ...environment };
    execFile('bash', [script], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
