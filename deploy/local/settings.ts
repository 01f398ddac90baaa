import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, loadConfig, type Config } from '../../runtime/config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Ports of the local stack, by the variable that sets them. */
export const defaultPorts = {
  ALFRED_API_PORT: 8080,
  ALFRED_TEMPORAL_PORT: 7233,
  ALFRED_TEMPORAL_UI_PORT: 8233,
  ALFRED_POSTGRES_PORT: 5433,
  ALFRED_KEYCLOAK_PORT: 8180,
  SLACK_PORT: 8011,
} as const;
export type PortVariable = keyof typeof defaultPorts;

export type Settings = {
  /** The stack's variables that are known before the servers start. */
  environment: NodeJS.ProcessEnv;
  /** Complete except for the addresses that are chosen during the start. */
  config: Config;
  dataDir: string;
  /** Ports that the person set. */
  explicit: Partial<Record<PortVariable, number>>;
  /** Whether Postgres or Temporal run elsewhere, so that they are not started here. */
  external: { postgres: boolean; temporal: boolean };
  /** Whether people sign in at a Keycloak that is started here. */
  keycloak: boolean;
  /** When the start began, in milliseconds since the epoch. */
  begunMs: number;
};

/**
 * Reads the settings from the environment, before anything is started.
 *
 * @throws ConfigError that lists all faults
 */
export function readSettings(environment: NodeJS.ProcessEnv, { keycloak = false } = {}): Settings {
  const faults: string[] = [];
  if (keycloak && environment.OIDC_ISSUER)
    faults.push('  OIDC_ISSUER is set, and --keycloak starts a provider here: expected one of the two');
  const explicit: Settings['explicit'] = {};
  for (const variable of Object.keys(defaultPorts) as PortVariable[]) {
    const value = environment[variable];
    if (!value) continue;
    const port = Number(value);
    if (Number.isInteger(port) && port > 0 && port < 65_536) explicit[variable] = port;
    else faults.push(`  ${variable} is "${value}": expected a port number from 1 to 65535`);
  }
  const duplicate = Object.values(explicit).find((port, index, all) => all.indexOf(port) !== index);
  if (duplicate)
    faults.push(
      `  ${Object.entries(explicit)
        .filter(([, port]) => port === duplicate)
        .map(([name]) => name)
        .join(' and ')} are all ${duplicate}: expected different ports`,
    );
  const dataDir = resolve(root, environment.ALFRED_DATA_DIR || '.alfred');
  const defaults = {
    ...environment,
    RERANK: environment.RERANK || defaultReranker(environment),
    ALFRED_API_PORT: String(explicit.ALFRED_API_PORT ?? defaultPorts.ALFRED_API_PORT),
    ALFRED_DATA_DIR: dataDir,
    // A person who presses Ctrl-C waits.
    ALFRED_SHUTDOWN_GRACE_S: environment.ALFRED_SHUTDOWN_GRACE_S || '10',
  };
  const config = readConfig(
    { ...defaults, DATABASE_URL: environment.DATABASE_URL || 'postgres://127.0.0.1/chosen-at-start' },
    faults,
  );
  return {
    environment: defaults,
    config,
    dataDir,
    explicit,
    external: { postgres: Boolean(environment.DATABASE_URL), temporal: Boolean(environment.TEMPORAL_ADDRESS) },
    keycloak,
    begunMs: Number(environment.ALFRED_START_BEGUN_MS) || Date.now() - process.uptime() * 1_000,
  };
}

/**
 * The reranker of a person who named none: it reads sentences, which only models of embeddings on this machine rate.
 */
function defaultReranker({ ALFRED_EMBEDDINGS: embeddings, RERANK_URL: url }: NodeJS.ProcessEnv): string | undefined {
  const ratesSentences = !embeddings || embeddings === 'local' || embeddings === 'local:minilm';
  return ratesSentences && !url ? 'local:ms-marco-minilm-l12' : undefined;
}

function readConfig(environment: NodeJS.ProcessEnv, faults: readonly string[]): Config {
  try {
    const config = loadConfig(environment);
    if (faults.length === 0) return config;
    throw new ConfigError('The environment is not usable:');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first, ...rest] = error.message.split('\n');
    throw new ConfigError([first, ...faults, ...rest].join('\n'));
  }
}
