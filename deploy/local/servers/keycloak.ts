import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keycloakName, obtainKeycloak, unpackKeycloak } from '../downloads/keycloak.ts';
import { localRealm, peopleOf, readOrCreateSecrets, type DemoUser, type RealmSecrets } from '../keycloak-realm.ts';
import { StepFailure } from '../step-failure.ts';
import { startChild } from './child.ts';
import type { ServerDeps } from './servers.ts';
import { waitUntil } from './wait-until.ts';

const realmFile = new URL('../../keycloak/alfred-realm.json', import.meta.url);
const oldestJava = 17;
/** The first start makes the database: a minute on two free cores, and more on busy ones. */
const startMs = 600_000;

const stopWith = [
  ['SIGTERM', 15_000],
  ['SIGKILL', 5_000],
] as const;

/**
 * Starts a Keycloak with the realm that we ship and three demo users, on loopback. Its data are in the data folder.
 *
 * @returns the variables by which the API takes its tokens, and who can sign in
 * @param java path of the program
 * @throws StepFailure when Keycloak cannot be fetched or does not start
 */
export async function ensureKeycloak({ settings, ports, steps, cleanup, onSpawn, watch }: ServerDeps, java: string) {
  const { dataDir, environment } = settings;
  const port = ports.ALFRED_KEYCLOAK_PORT ?? 0;
  const folder = join(dataDir, 'keycloak');
  const home = join(folder, keycloakName);
  const apiUrl = `http://127.0.0.1:${ports.ALFRED_API_PORT}`;
  await mkdir(join(folder, 'data', 'import'), { recursive: true, mode: 0o700 });
  const secrets = await readOrCreateSecrets(join(folder, 'secrets.json'));
  const run = (at: string, args: readonly string[], options: readonly string[] = []) =>
    [...javaOptions(at), ...options, '-cp', join(at, 'lib', 'quarkus-run.jar'), entryPoint, ...args] as const;

  await steps.run('Keycloak archive', async (progress) => {
    const archive = await obtainKeycloak({ environment, fallbackDir: join(dataDir, 'cache'), progress });
    progress('unpacking');
    await unpackKeycloak(archive, home, async (at) => {
      progress('preparing Keycloak, once');
      // Data outlive an update of Keycloak.
      await symlink('../data', join(at, 'data'));
      await promisify(execFile)(java, run(at, ['build', '--db=dev-file']), { env: serverEnvironment(environment) });
    });
  });
  await writeRealm(join(folder, 'data', 'import', 'alfred-realm.json'), secrets, apiUrl);

  const server = await steps.run(
    'Keycloak',
    async () => {
      const args = [
        'start',
        '--optimized',
        '--import-realm',
        '--http-enabled=true',
        '--http-host=127.0.0.1',
        `--http-port=${port}`,
        `--hostname=http://127.0.0.1:${port}`,
        '--cache=local',
      ];
      const child = startChild({
        name: 'Keycloak',
        command: java,
        args: run(home, args, ['-Dkc.config.built=true']),
        logFile: join(dataDir, 'logs', 'keycloak.log'),
        stopWith,
        onSpawn,
        options: {
          env: {
            ...serverEnvironment(environment),
            KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
            KC_BOOTSTRAP_ADMIN_PASSWORD: secrets.admin,
          },
        },
      });
      cleanup.add('Keycloak', () => child.stop());
      await waitUntil(child, () => answers(issuerAt(port)), { timeoutMs: startMs, everyMs: 250 });
      return child;
    },
    () => issuerAt(port),
  );
  watch(server);
  return { variables: variablesFor(port, secrets), people: peopleOf(secrets) as readonly DemoUser[] };
}

const entryPoint = 'io.quarkus.bootstrap.runner.QuarkusEntryPoint';
const javaOptions = (home: string) => [
  '-Xms64m',
  '-Xmx512m',
  '-XX:+ExitOnOutOfMemoryError',
  '-Dfile.encoding=UTF-8',
  '--add-opens=java.base/java.util=ALL-UNNAMED',
  '--add-opens=java.base/java.util.concurrent=ALL-UNNAMED',
  '--add-opens=java.base/java.security=ALL-UNNAMED',
  '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
  '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
  `-Dkc.home.dir=${home}`,
  `-Djboss.server.config.dir=${join(home, 'conf')}`,
];

/** Variables like KC_DB or JAVA_TOOL_OPTIONS of the person's shell would change what the server does. */
const serverEnvironment = ({ PATH, HOME, JAVA_HOME }: NodeJS.ProcessEnv) => ({ PATH, HOME, JAVA_HOME });

const issuerAt = (port: number) => `http://127.0.0.1:${port}/realms/alfred`;

const variablesFor = (port: number, { clients, sessionKey }: RealmSecrets): Record<string, string> => ({
  OIDC_PROVIDER: 'keycloak',
  OIDC_ISSUER: issuerAt(port),
  OIDC_AUDIENCE: 'alfred-api',
  // That of the user of this machine: documents for everyone of before are for all who sign in.
  OIDC_TENANT: 'local',
  OIDC_CLI_CLIENT_ID: 'alfred-cli',
  OIDC_CLIENT_ID: 'alfred-console',
  OIDC_CLIENT_SECRET: clients['alfred-console'] ?? '',
  ALFRED_SESSION_KEY: sessionKey,
});

async function answers(issuer: string): Promise<void> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(5_000) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

/** Keycloak imports the realm when it has none of that name: later changes are made in its console. */
async function writeRealm(path: string, secrets: RealmSecrets, apiUrl: string): Promise<void> {
  const realm = JSON.parse(await readFile(realmFile, 'utf8')) as Parameters<typeof localRealm>[0];
  await writeFile(path, JSON.stringify(localRealm(realm, secrets, apiUrl)), { mode: 0o600 });
}

/**
 * Finds the Java that runs Keycloak: that of JAVA_HOME, else the one on PATH.
 *
 * @throws StepFailure when there is none, or it is too old
 */
export async function findJava(environment: NodeJS.ProcessEnv): Promise<string> {
  const { JAVA_HOME } = environment;
  const java = JAVA_HOME ? join(JAVA_HOME, 'bin', 'java') : 'java';
  const todo = [
    `install Java ${oldestJava} or newer (a JRE is enough), or set JAVA_HOME to one`,
    'or start without --keycloak, and set OIDC_ISSUER to a provider that runs elsewhere',
  ];
  const output = await promisify(execFile)(java, ['-version'], { env: environment, timeout: 30_000 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is none' : (error.message.split('\n')[0] ?? '');
      throw new StepFailure(`Keycloak needs Java, and ${java} does not run: ${why}.`, todo);
    },
  );
  const version = Number(/version "(\d+)/.exec(output)?.[1]);
  if (version >= oldestJava) return java;
  throw new StepFailure(
    `Keycloak needs Java ${oldestJava} or newer; ${java} is ${version || 'an unknown version'}.`,
    todo,
  );
}
