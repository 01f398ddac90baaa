import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeConfig, ignoredVariables, loadConfig } from '../../runtime/config.ts';
import { configPage } from '../../cli/config-page.ts';
import { alfred } from './run-alfred.ts';

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'alfred-config-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

test('docs/reference/configuration.md is what `npm run docs:config` writes', async () => {
  expect(await readFile('docs/reference/configuration.md', 'utf8')).toBe(configPage());
});

test('the configuration is printed with secrets masked', async () => {
  const environment = {
    ALFRED_DATA_DIR: dataDir,
    DATABASE_URL: 'postgres://alfred:hunter2@db:5432/alfred',
    ANTHROPIC_API_KEY: 'sk-ant-secret',
    ALFRED_API_PORT: '9000',
    ALFRED_TENANTS: '{ "acme": { "fairnessWeight": 2 } }',
  };
  const { code, stdout, stderr } = await alfred(['config'], environment);
  expect(code).toBe(0);
  expect(stdout + stderr).not.toMatch(/hunter2|sk-ant-secret/);
  expect(stdout).toMatch(/DATABASE_URL +postgres:\/\/alfred:\*+@db:5432\/alfred +environment/);
  expect(stdout).toMatch(/ALFRED_API_PORT +9000 +environment/);
  expect(stdout).toMatch(/ALFRED_TENANTS +\{"acme":\{"fairnessWeight":2\}\} +environment/);
  const json = await alfred(['config', '--json'], environment);
  expect(JSON.parse(json.stdout)).toContainEqual(
    expect.objectContaining({ name: 'ANTHROPIC_API_KEY', value: '********', source: 'environment' }),
  );
});

test('a variable that Alfred does not know is refused, with the nearest name', async () => {
  const environment = {
    ALFRED_DATA_DIR: dataDir,
    DATABASE_URL: 'postgres://db/alfred',
    ALFRED_MODLE: 'x',
    ALFRED_NEITHER_THIS_NOR_THAT: 'y',
  };
  const { code, stderr } = await alfred(['config'], environment);
  expect(code).toBe(2);
  expect(stderr).toContain('ALFRED_MODLE is not a variable of Alfred: did you mean ALFRED_MODEL?\n');
  expect(stderr).not.toContain('ALFRED_NEITHER_THIS_NOR_THAT');
});

test('an operator’s own variable, or one of a later version, is named and ignored', async () => {
  const own = ['ALFRED_HOME', 'ALFRED_ENV', 'ALFRED_HOST', 'ALFRED_LOG', 'ALFRED_VERSION', 'ALFRED_IMAGE'];
  const environment = {
    ALFRED_DATA_DIR: dataDir,
    DATABASE_URL: 'postgres://db/alfred',
    ...Object.fromEntries(own.map((name) => [name, 'x'])),
  };
  const { code, stderr } = await alfred(['config'], environment);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringContaining(`This version of Alfred does not read ${own.join(', ')}.`),
  });
});

test('variables of tests, of Compose and of a service that is called alfred are no fault', () => {
  const others = {
    ALFRED_TEST_SEED: '1',
    ALFRED_POSTGRES_PASSWORD: 'x',
    ALFRED_URL: 'http://127.0.0.1:8080',
    ALFRED_SERVICE_HOST: '10.0.0.1',
    ALFRED_SERVICE_PORT_HTTP: '8080',
    ALFRED_PORT: 'tcp://10.0.0.1:8080',
    ALFRED_PORT_8080_TCP_ADDR: '10.0.0.1',
    // Of a service that is called alfred-api.
    ALFRED_API_PORT: 'tcp://10.0.0.2:8080',
    ALFRED_API_SERVICE_PORT: '8080',
    // Of a container that is linked as alfred.
    ALFRED_NAME: '/web/alfred',
    ALFRED_ENV_NODE_VERSION: '24',
    ALFRED_EMPTY: '',
  };
  const environment = { DATABASE_URL: 'postgres://db/alfred', ...others };
  const config = loadConfig(environment);
  expect(config.ALFRED_API_PORT).toBe(8080);
  expect(ignoredVariables(environment)).toEqual([]);
  expect(describeConfig(config, environment)).toContainEqual(
    expect.objectContaining({ name: 'ALFRED_API_PORT', value: '8080', source: 'default' }),
  );
});

test('an invalid configuration is reported with all faults at once, and without secrets', async () => {
  const { code, stderr } = await alfred(['config'], {
    ALFRED_DATA_DIR: dataDir,
    ALFRED_API_PORT: 'eighty',
    TEMPORAL_ADDRESS: 'nowhere',
    DATABASE_URL: 'mysql://a:hunter2@b/c',
  });
  expect(code).toBe(2);
  for (const name of ['ALFRED_API_PORT', 'TEMPORAL_ADDRESS', 'DATABASE_URL']) expect(stderr).toContain(name);
  expect(stderr).not.toContain('hunter2');
});

test('a command joins a running stack without its secrets, which only the stack has', async () => {
  const set = { DATABASE_URL: 'postgres://db/alfred', ALFRED_MODEL: 'openai:gpt-6.2-sol', S3_ACCESS_KEY_ID: 'a' };
  const environment = { ...set, ALFRED_MAIL_FROM: 'a@example.com', ALFRED_INTRUSION_WEBHOOK: 'https://example.com' };
  expect(() => loadConfig(environment)).toThrow(
    /OPENAI_API_KEY[^]*ALFRED_SMTP_URL[^]*ALFRED_WEBHOOK_SECRET[^]*S3_SECRET/,
  );
  expect(loadConfig(environment, { secretsMayLack: true })).toMatchObject({ ...environment, ALFRED_API_PORT: 8080 });
  // What is wrong without being a secret is still refused, and so is a secret that is there.
  const wrong = { ...environment, ALFRED_API_PORT: 'eighty', ALFRED_WEBHOOK_SECRET: 'short' };
  expect(() => loadConfig(wrong, { secretsMayLack: true })).toThrow(/ALFRED_API_PORT[^]*ALFRED_WEBHOOK_SECRET/);

  const stack = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'deploy/local/main.ts']);
  try {
    const run = { pid: stack.pid, startedAt: new Date().toISOString(), apiUrl: 'http://127.0.0.1:1', children: [] };
    await writeFile(join(dataDir, 'run.json'), JSON.stringify({ ...run, environment }));
    const { code, stdout, stderr } = await alfred(['config', '--json'], { ALFRED_DATA_DIR: dataDir });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ name: 'ALFRED_MODEL', value: set.ALFRED_MODEL }),
    );
  } finally {
    stack.kill();
    await rm(join(dataDir, 'run.json'), { force: true });
  }
});

describe('sign-in', () => {
  const faultsOf = (environment: Record<string, string>): string => {
    try {
      loadConfig({ DATABASE_URL: 'postgres://db/alfred', ...environment });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const issuer = { OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'alfred', OIDC_TENANT: 'acme' };
  const list = (...issuers: object[]) => ({ ...issuer, OIDC_ISSUER: JSON.stringify(issuers) });

  test('lets the API bind beyond loopback', () => {
    expect(faultsOf({ ALFRED_API_HOST: '0.0.0.0' })).toMatch(/without sign-in .*set OIDC_ISSUER/);
    expect(faultsOf({ ALFRED_API_HOST: '0.0.0.0', ...issuer })).toBe('');
    expect(faultsOf({ ALFRED_API_HOSTS: 'localhost:9,127.0.0.1,[::1]:8080,api:8080' })).toBe('');
    for (const host of ['alfred.example.com', 'intranet', '10.0.0.5:8080', '[fd00::5]:80'])
      expect(faultsOf({ ALFRED_API_HOSTS: host })).toMatch(/OIDC_ISSUER is not set: is needed, because/);
  });

  test('that is set up wrongly is refused at the start, with the variable and what is expected', () => {
    expect(faultsOf({ ...issuer, OIDC_ISSUER: 'http://id.example.com' })).toMatch(/OIDC_ISSUER .*http:\/\/ only for/);
    expect(faultsOf({ ...issuer, OIDC_ISSUER: 'http://127.0.0.1:8090/realms/alfred' })).toBe('');
    expect(faultsOf({ ...issuer, OIDC_ISSUER: '[{' })).toMatch(/OIDC_ISSUER .*is not JSON/);
    expect(faultsOf({ ...issuer, OIDC_AUDIENCE: '' })).toMatch(/OIDC_AUDIENCE is not set: is needed: .*`aud`/);
    expect(faultsOf({ ...issuer, OIDC_TENANT: '' })).toMatch(/OIDC_TENANT is not set: .*or OIDC_TENANT_CLAIM/);
    expect(faultsOf({ ...issuer, OIDC_TENANT: '', OIDC_PROVIDER: 'entra' })).toBe('');
    expect(faultsOf({ ...issuer, OIDC_ROLES_CLAIM: ' roles' })).toMatch(/OIDC_ROLES_CLAIM .*the name of a claim/);
    expect(faultsOf({ OIDC_ROLES_CLAIM: 'roles' })).toMatch(/OIDC_ROLES_CLAIM .*together with OIDC_ISSUER/);
  });

  test('at an issuer of everybody needs a list of those who may sign in', () => {
    const google = { ...issuer, OIDC_ISSUER: 'https://accounts.google.com', OIDC_PROVIDER: 'google' };
    expect(faultsOf(google)).toMatch(/OIDC_TENANTS is not set: is needed: the values of `hd`/);
    expect(faultsOf({ ...google, OIDC_TENANT: '' })).toMatch(/OIDC_TENANTS is not set/);
    expect(faultsOf({ ...google, OIDC_TENANTS: 'a.example, b.example' })).toBe('');
    expect(faultsOf({ ...google, OIDC_TENANT: '', OIDC_TENANTS: 'a.example' })).toBe('');
    expect(faultsOf({ ...google, OIDC_TENANT: '', OIDC_TENANT_CLAIM: 'email', OIDC_TENANTS: 'a.example' })).toMatch(
      /OIDC_TENANT_CLAIM is "email": expected hd/,
    );
    expect(faultsOf({ ...google, OIDC_PROVIDER: '' })).toMatch(/OIDC_PROVIDER is not set: expected google/);
    expect(faultsOf({ ...issuer, OIDC_TENANTS: 'acme' })).toMatch(/OIDC_TENANTS .*OIDC_TENANT_CLAIM does not say/);
  });

  test('of several issuers needs the tenants of each', () => {
    const common = { OIDC_AUDIENCE: 'alfred', OIDC_TENANT_CLAIM: 'org' };
    const of = (own: object, more = {}) =>
      faultsOf({
        ...common,
        ...more,
        OIDC_ISSUER: JSON.stringify([
          { issuer: 'https://a.example', tenant: 'a' },
          { issuer: 'https://b.example', name: 'b', ...own },
        ]),
      });
    expect(of({})).toMatch(/OIDC_ISSUER .*needs `tenant` or `tenants` for https:\/\/b\.example/);
    expect(of({ tenantClaim: 'org' })).toMatch(/needs `tenant` or `tenants`/);
    expect(of({ tenants: ['b'] })).toBe('');
    expect(of({ tenant: 'b' })).toBe('');
    // One list for all would let each issuer name the tenants of the others.
    expect(of({ tenant: 'b' }, { OIDC_TENANTS: 'b' })).toMatch(/OIDC_TENANTS .*is for one issuer/);
    expect(of({ provider: 'google', tenant: 'b' })).toMatch(/OIDC_ISSUER .*needs `tenants`: the values of `hd`/);
    expect(of({ provider: 'google', tenant: 'b', tenants: ['b.example'] })).toBe('');
  });

  test('of several issuers needs a name for all but one', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `https://${name}.example`);
    expect(faultsOf(list({ issuer: a }, { issuer: b, name: 'b' }))).toBe('');
    expect(faultsOf(list({ issuer: a }, { issuer: b }))).toMatch(/OIDC_ISSUER .*two issuers without `name`/);
    expect(faultsOf(list({ issuer: a }, { issuer: b, name: 'x' }, { issuer: c, name: 'x' }))).toMatch(/the name x/);
    expect(faultsOf(list({ issuer: a }, { issuer: a, name: 'x' }))).toMatch(/names https:\/\/a\.example twice/);
    expect(faultsOf(list({ issuer: a, name: 'key' }))).toMatch(/another name/);
    expect(faultsOf(list({ issuer: a, audiense: 'x' }))).toMatch(/audiense/);
  });
});
