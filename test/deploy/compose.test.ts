import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { createMetrics } from '../../runtime/metrics.ts';
import { loadConfig, variableNames } from '../../runtime/config.ts';
import { documentsQueue } from '../../contract/ids.ts';
import { agents } from '../../agents/index.ts';
import { packQueues, queuesFor } from '../../workers/queues.ts';

const allQueues = queuesFor(agents);
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

type Service = {
  image: string;
  command?: string[];
  profiles?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean; test?: string[] };
};
type ComposeFile = {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const stackFile = 'docker-compose.temporal.yml';
const keycloakFile = 'docker-compose.keycloak.yml';
const parseFile = (path: string) => parse(read(path), { merge: true }) as ComposeFile;
const compose = parseFile(stackFile);
const keycloak = parseFile(keycloakFile);
const services = Object.entries(compose.services);
/** Those of both files, but for the API and the Slack door, which the second one only gives more variables. */
const { api: apiWithKeycloak, slack: slackWithKeycloak, ...ofKeycloak } = keycloak.services;
const allServices = [...services, ...Object.entries(ofKeycloak)];
const allVolumes = { ...compose.volumes, ...keycloak.volumes };
const roles = services.filter(([, { image }]) => image.startsWith('alfred:'));

/**
 * Interpolates as Compose does where nothing is set: `${NAME:?message}` becomes a made-up value, `${NAME:-word}` the
 * word, `${NAME:+word}` empty.
 */
const interpolate = (value: string) =>
  value.replace(/\$\{(\w+)(:[?+-])?([^}]*)\}/g, (_, name: string, operator: string, word: string) =>
    operator === ':-' ? word : operator === ':+' ? '' : `given-${name.toLowerCase()}`,
  );
const environmentOf = ({ environment = {} }: Service) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, interpolate(value)]));

test.each([stackFile, keycloakFile])('%s fits the Compose specification', (path) => {
  const schema = JSON.parse(read('node_modules/dclint/schemas/compose.schema.json')) as { $schema?: string };
  delete schema.$schema;
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Formats that the specification defines itself. Compose checks them.
  ajv
    .addFormat('ports', true)
    .addFormat('expose', true)
    .addFormat('duration', true)
    .addFormat('subnet_ip_address', true);
  const validate = ajv.compile(schema);
  const isValid = validate(parseFile(path));
  expect({ isValid, errors: validate.errors }).toEqual({ isValid: true, errors: null });
});

test('there is a service for the setup, each door and the worker of each queue', () => {
  const workers = allQueues.map((queue) => `worker-${queue.replace(/^agent-/, '')}`);
  expect(roles.map(([name]) => name)).toEqual(['setup', 'api', ...workers, 'worker-packs', 'slack']);
});

test('every variable of a role exists, and each role’s configuration is valid', () => {
  for (const [name, service] of roles) {
    const environment = environmentOf(service);
    expect({
      name,
      unknown: Object.keys(environment).filter((variable) => ![...variableNames, 'ALFRED_URL'].includes(variable)),
    }).toEqual({ name, unknown: [] });
    expect(() => loadConfig(environment)).not.toThrow();
  }
});

test('what an operator sets keeps the other containers’ name of the API, and each reranker’s weights apart', () => {
  const withOwn = (text = '', own: Record<string, string> = {}) =>
    text.replace(/\$\{(\w+):([+-])([^}]*)\}/g, (_, name: string, operator: string, word: string) =>
      operator === '-' ? (own[name] ?? word) : own[name] ? word : '',
    );
  const { ALFRED_API_HOSTS: hosts, RERANK_MODEL_DIR: folder } = compose.services.api?.environment ?? {};
  const hostsWith = (own: Record<string, string>) =>
    loadConfig({
      DATABASE_URL: 'postgres://db/alfred',
      ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: 'true',
      ALFRED_API_HOSTS: withOwn(hosts, own),
    }).ALFRED_API_HOSTS;
  expect(hostsWith({})).toEqual(['api:8080']);
  expect(hostsWith({ ALFRED_API_HOSTS: 'alfred.example.com' })).toEqual(['api:8080', 'alfred.example.com']);
  const folders = ['', 'local:ms-marco-minilm', 'local:mmarco-minilm'].map((RERANK) => withOwn(folder, { RERANK }));
  expect(folders).toEqual(['', '/models/rerank/local:ms-marco-minilm', '/models/rerank/local:mmarco-minilm']);
});

test('an API that others reach under a name of its own does not start without sign-in', () => {
  const environment = environmentOf(compose.services.api ?? { image: '' });
  const hosts = { ALFRED_API_HOSTS: 'api:8080,alfred.example.com' };
  expect(() => loadConfig({ ...environment, ...hosts })).toThrow(
    /OIDC_ISSUER is not set: .*names alfred\.example\.com/,
  );
  const signIn = { OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'alfred', OIDC_TENANT: 'acme' };
  for (const more of [signIn, { ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: 'true' }])
    expect(() => loadConfig({ ...environment, ...hosts, ...more })).not.toThrow();
});

test('a command in a container of any role finds the API under a name that the API takes', () => {
  const hosts = loadConfig(environmentOf(compose.services.api ?? { image: '' })).ALFRED_API_HOSTS;
  for (const [name, service] of roles) {
    const { host } = new URL(environmentOf(service).ALFRED_URL ?? 'http://nowhere');
    expect({ name, isTaken: hosts.includes(host) }).toEqual({ name, isTaken: true });
  }
});

test('the variables of the image exist', () => {
  const lines = read('deploy/docker/Dockerfile').matchAll(/\b((?:ALFRED|TEMPORAL|DATABASE|ANTHROPIC)_\w+)=/g);
  const names = [...lines].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !(variableNames as (string | undefined)[]).includes(name))).toEqual([]);
});

test('the workers together serve every queue, and every command names an existing file', () => {
  const served = roles.flatMap(([, { command = [] }]) =>
    command.flatMap((word, i) => (word === '--queue' ? [command[i + 1]] : [])),
  );
  expect(served.sort()).toEqual([...allQueues, packQueues].sort());
  for (const [name, { command }] of roles)
    expect({ name, exists: existsSync(join(root, command?.[1] ?? '')) }).toEqual({ name, exists: true });
});

test('documents are read by a service of their own, which has no model keys and cannot send anything', () => {
  const service = compose.services['worker-documents'];
  expect(service?.command).toEqual(['node', 'workers/main.ts', '--queue', documentsQueue]);
  const variables = Object.keys(service?.environment ?? {});
  expect(variables).toEqual(
    expect.arrayContaining(['DATABASE_URL', 'TEMPORAL_ADDRESS', 'QDRANT_URL', 'ALFRED_EMBEDDINGS']),
  );
  expect(variables.filter((name) => /^(ANTHROPIC|OPENAI|ALFRED_(MODEL|WEBHOOK|SMTP|MAIL))/.test(name))).toEqual([]);
});

test('images are pinned, ports are published on loopback only, and the files contain no password', () => {
  for (const [name, { image, ports = [], environment = {} }] of allServices) {
    expect({ name, image }).toEqual({ name, image: expect.stringMatching(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/) });
    expect({ name, open: ports.filter((port) => !port.startsWith('127.0.0.1:')) }).toEqual({ name, open: [] });
    const secrets = Object.entries(environment).filter(([variable]) =>
      /PASSWORD|PWD|(KEY|TOKEN|SECRET)$/.test(variable),
    );
    for (const [variable, value] of secrets)
      expect({ name, variable, value }).toEqual({ name, variable, value: expect.stringMatching(/^\$\{\w+:[?-]/) });
  }
});

test('every mounted file is in the repository, and every volume and dependency is declared', () => {
  for (const [name, { volumes = [], depends_on = {} }] of allServices) {
    for (const volume of volumes) {
      const source = interpolate(volume).split(':')[0] ?? '';
      expect({
        name,
        source,
        found: source.startsWith('./') ? existsSync(join(root, source)) : source in allVolumes,
      }).toEqual({ name, source, found: true });
    }
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const found = compose.services[other] ?? ofKeycloak[other];
      expect({ name, other, isThere: found !== undefined }).toEqual({ name, other, isThere: true });
      // Waiting for health needs a health check. The roles get theirs from the image.
      if (condition === 'service_healthy') expect(found?.healthcheck).toBeDefined();
    }
  }
});

test('the Keycloak for people has neither console nor admin API, that for operators starts only when it is asked for', () => {
  const own = keycloak.services['keycloak'];
  expect(own).toMatchObject({ command: ['start', '--import-realm'] });
  expect(own?.environment).toMatchObject({ KC_FEATURES_DISABLED: 'admin,admin-api', KC_HEALTH_ENABLED: 'true' });
  expect(own?.environment).not.toHaveProperty('KC_HTTP_ENABLED');
  expect(keycloak.services['keycloak-admin']).toMatchObject({ command: ['start'], profiles: ['admin'] });
  // The realm is made with an address of its clients, and the API trusts what it gives.
  const realm = read('deploy/keycloak/alfred-realm.json');
  expect([...realm.matchAll(/\$\{(\w+):/g)].map(([, name]) => name)).toContain('ALFRED_PUBLIC_URL');
  const signIn = { ...apiWithKeycloak?.environment, OIDC_ISSUER: 'https://id.example.com/realms/alfred' };
  const api = { ...environmentOf(compose.services.api ?? { image: '' }), ...signIn, OIDC_TENANT: 'company' };
  expect(loadConfig(api)).toMatchObject({ OIDC_PROVIDER: 'keycloak', OIDC_CLI_CLIENT_ID: 'alfred-cli' });
});

test('Prometheus scrapes every role where it listens', () => {
  const { scrape_configs: jobs } = parse(read('deploy/prometheus/prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const targets = jobs.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets));
  const expected = roles.flatMap(([name, service]) => {
    const { ALFRED_API_PORT, ALFRED_HEALTH_PORT, SLACK_PORT } = environmentOf(service);
    const port = ALFRED_API_PORT ?? ALFRED_HEALTH_PORT ?? SLACK_PORT;
    return port ? [`${name}:${port}`] : [];
  });
  expect(targets).toEqual([...expected, 'temporal:9090']);
});

test('the Slack door starts when it is asked for, with the key of the audit log that the API has', () => {
  const { api, slack } = compose.services;
  expect(slack).toMatchObject({ profiles: ['slack'], command: ['node', 'slack/main.ts'] });
  const environment = environmentOf(slack ?? { image: '' });
  const tokens = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' };
  expect(loadConfig({ ...environment, ...tokens })).toMatchObject({ SLACK_HOST: '0.0.0.0', SLACK_PORT: 8011 });
  const signIn = { OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'alfred', OIDC_TENANT: 'acme' };
  expect(() => loadConfig({ ...environment, ...tokens, ...signIn })).toThrow(/SLACK_TENANT is not set/);
  expect(() => loadConfig({ ...environment, ...tokens, ...signIn, SLACK_TENANT: 'acme' })).not.toThrow();
  expect(slack?.environment?.ALFRED_AUDIT_KEY).toBe(api?.environment?.ALFRED_AUDIT_KEY);
  const dataOf = (service?: Service) => service?.volumes?.find((volume) => volume.endsWith(':/data'));
  expect(dataOf(slack)).toBe(dataOf(api));
  // `/alfred documents` searches with the model that `setup` fetches.
  expect(environment.ALFRED_EMBEDDING_MODEL_DIR).toMatch(/^\/models\//);
  expect(slack?.volumes).toContain('models:/models:ro');
  // `/alfred link` names the page of the API, and needs no secret of its sign-in.
  for (const name of ['ALFRED_PUBLIC_URL', 'OIDC_ISSUER'])
    expect([name, slack?.environment?.[name]]).toEqual([name, api?.environment?.[name]]);
  expect(apiWithKeycloak?.environment).toMatchObject(slackWithKeycloak?.environment ?? {});
  expect(slackWithKeycloak?.environment).toHaveProperty('OIDC_ISSUER');
  expect(slack?.environment).not.toHaveProperty('ALFRED_SESSION_KEY');
  // The check of the image asks the ports of the API and of workers.
  expect(slack?.healthcheck).toMatchObject({ test: ['CMD', 'node', 'deploy/docker/healthcheck.mjs', '8011'] });
  // As the API has: the settings of agents name models, whose keys are asked for.
  expect(Object.keys(slack?.environment ?? {})).toEqual(expect.arrayContaining(['ALFRED_AGENTS', 'ANTHROPIC_API_KEY']));
});

test('the alerts of Prometheus are about metrics that exist', () => {
  const files = readdirSync(join(root, 'deploy/prometheus')).filter((name) => name.endsWith('.rules.yml'));
  expect(files).toEqual(['audit.rules.yml', 'limits.rules.yml', 'slack.rules.yml']);
  const known = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  for (const file of files) {
    const { groups } = parse(read(`deploy/prometheus/${file}`)) as { groups: { rules: { expr: string }[] }[] };
    for (const { expr } of groups.flatMap(({ rules }) => rules))
      expect(known).toEqual(
        expect.arrayContaining(expr.match(/\b(slack_\w+|\w+_(total|seconds))\b/g) ?? ['no metric']),
      );
  }
});
