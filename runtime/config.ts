import { z } from 'zod';
import { isServiceAddress, unknownVariables } from './unknown-variables.ts';
import type { ProviderName } from './settings-schemas.ts';
import { browserFaults } from './browser-settings.ts';
import { oidcFaults } from './identity-settings.ts';
import { remoteAgentFaults } from './remote-agent-settings.ts';
import { slackInstallFaults } from './slack-install-settings.ts';
import { slackFaults } from './slack-settings.ts';
import { audit } from './variables/audit.ts';
import { contacts } from './variables/contacts.ts';
import { documents } from './variables/documents.ts';
import { identity } from './variables/identity.ts';
import { limits } from './variables/limits.ts';
import { models } from './variables/models.ts';
import { outbound } from './variables/outbound.ts';
import { processes } from './variables/processes.ts';
import { remoteAgents } from './variables/remote-agents.ts';
import { search } from './variables/search.ts';
import { servers } from './variables/servers.ts';
import { slack } from './variables/slack.ts';
import { social } from './variables/social.ts';

/** Hosts that only this machine can reach. */
export const loopbackHosts = ['127.0.0.1', 'localhost', '::1'];

/** Hosts of ALFRED_API_HOSTS that are this machine, or a container as others in its network name it. */
const nearHost = /^(localhost(:\d+)?|127(\.\d{1,3}){3}(:\d+)?|\[::1\](:\d+)?|[a-z0-9_-]+:\d+)$/;

/** Every variable Alfred reads. The environment is read here and nowhere else. */
const variables = {
  ...servers,
  ...identity,
  ...audit,
  ...limits,
  ...search,
  ...documents,
  ...contacts,
  ...models,
  ...remoteAgents,
  ...outbound,
  ...slack,
  ...social,
  ...processes,
} as const;

const secrets = [
  'TEMPORAL_API_KEY',
  'OIDC_CLIENT_SECRET',
  'ALFRED_SESSION_KEY',
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  // Who writes a secret into it, in place of its variable, does not find it in a message.
  'ALFRED_REMOTE_AGENTS',
  'CREWAI_API_KEY',
  'EMBEDDINGS_API_KEY',
  'RERANK_API_KEY',
  'ALFRED_OCR_API_KEY',
  'VECTOR_DB_KEY',
  'ALFRED_WEBHOOK_SECRET',
  'ALFRED_AUDIT_KEY',
  'ALFRED_SMTP_URL',
  'S3_SECRET_ACCESS_KEY',
  'HUBSPOT_ACCESS_TOKEN',
  'SLACK_BOT_TOKEN',
  'SLACK_APP_TOKEN',
  'SLACK_SIGNING_SECRET',
  'SLACK_CLIENT_SECRET',
  'SLACK_INSTALLATION_KEY',
  'REDDIT_CLIENT_SECRET',
  'YOUTUBE_API_KEY',
] as const satisfies (keyof typeof variables)[];

/** For each provider, variables of which at least one must be set. */
const requiredVariables: Partial<Record<ProviderName, readonly (keyof typeof variables)[]>> = {
  anthropic: ['ANTHROPIC_API_KEY'],
  openai: ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
};

const Variables = z.object(variables);
const Environment = Variables.superRefine((env, context) => {
  const addIssue = (name: keyof typeof variables, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message, input: undefined });
  for (const { variable, message } of oidcFaults(env)) addIssue(variable, message);
  for (const { variable, message } of browserFaults(env)) addIssue(variable, message);
  for (const { variable, message } of slackFaults(env)) addIssue(variable, message);
  for (const { variable, message } of slackInstallFaults(env)) addIssue(variable, message);
  for (const { variable, message } of remoteAgentFaults(env)) addIssue(variable, message);
  const hasSignIn = env.OIDC_ISSUER !== undefined;
  if (!hasSignIn && !loopbackHosts.includes(env.ALFRED_API_HOST) && !env.ALFRED_ALLOW_UNAUTHENTICATED_NETWORK) {
    addIssue(
      'ALFRED_API_HOST',
      'without sign-in the API binds to loopback only: use 127.0.0.1, set OIDC_ISSUER, or set ALFRED_ALLOW_UNAUTHENTICATED_NETWORK=true inside a closed container network, and name the hosts that callers use in ALFRED_API_HOSTS',
    );
  }
  const farHost = env.ALFRED_API_HOSTS.find((host) => !nearHost.test(host));
  if (!hasSignIn && farHost !== undefined && env.ALFRED_ALLOW_UNAUTHENTICATED_NETWORK !== true) {
    addIssue(
      'OIDC_ISSUER',
      `is needed, because ALFRED_API_HOSTS names ${farHost}, where others reach the API: set up sign-in, or set ALFRED_ALLOW_UNAUTHENTICATED_NETWORK=true when all who reach it may do everything`,
    );
  }
  const chains = [
    ['ALFRED_MODEL', env.ALFRED_MODEL],
    ...Object.entries(env.ALFRED_AGENTS ?? {}).map(([agent, { model }]) => [`ALFRED_AGENTS of ${agent}`, model]),
  ];
  for (const [source, chain = ''] of chains) {
    for (const name of chain.split(',')) {
      const alternatives = requiredVariables[name.split(':')[0] as ProviderName] ?? [];
      const [first] = alternatives;
      if (first && alternatives.every((variable) => env[variable] === undefined))
        addIssue(
          first,
          `is needed, because ${source} names "${name}": set ${alternatives.join(' or ')}, or use offline:quote`,
        );
    }
  }
  if (env.ALFRED_CRM === 'hubspot' && env.HUBSPOT_ACCESS_TOKEN === undefined)
    addIssue('HUBSPOT_ACCESS_TOKEN', 'is needed, because ALFRED_CRM is hubspot');
  if (env.ALFRED_CRM === 'hubspot' && env.ALFRED_CRM_TENANT === undefined)
    addIssue('ALFRED_CRM_TENANT', 'is needed, because ALFRED_CRM is hubspot: the tenant that it belongs to, or local');
  if (Boolean(env.ALFRED_SMTP_URL) !== Boolean(env.ALFRED_MAIL_FROM)) {
    const missing = env.ALFRED_SMTP_URL ? 'ALFRED_MAIL_FROM' : 'ALFRED_SMTP_URL';
    addIssue(missing, 'expected ALFRED_SMTP_URL and ALFRED_MAIL_FROM together');
  }
  if (env.ALFRED_INTRUSION_WEBHOOK !== undefined && env.ALFRED_WEBHOOK_SECRET === undefined)
    addIssue('ALFRED_WEBHOOK_SECRET', 'is needed with ALFRED_INTRUSION_WEBHOOK, whose calls it signs');
  if (Boolean(env.S3_ACCESS_KEY_ID) !== Boolean(env.S3_SECRET_ACCESS_KEY)) {
    const missing = env.S3_ACCESS_KEY_ID ? 'S3_SECRET_ACCESS_KEY' : 'S3_ACCESS_KEY_ID';
    addIssue(missing, 'expected S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY together');
  }
  if (Boolean(env.REDDIT_CLIENT_ID) !== Boolean(env.REDDIT_CLIENT_SECRET)) {
    const missing = env.REDDIT_CLIENT_ID ? 'REDDIT_CLIENT_SECRET' : 'REDDIT_CLIENT_ID';
    addIssue(missing, 'expected REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET together');
  }
  if (env.RERANK_URL !== undefined && env.RERANK_MODEL === undefined)
    addIssue('RERANK_MODEL', 'is needed with RERANK_URL: the name of the model that the reranker serves');
  for (const name of ['RERANK_MODEL', 'RERANK_API_KEY'] as const)
    if (env.RERANK_URL === undefined && env[name] !== undefined)
      addIssue(name, 'expected together with RERANK_URL, which says where the reranker is');
  const hasOwnReranker = env.RERANK !== undefined && env.RERANK !== 'none';
  if (hasOwnReranker && env.RERANK_URL !== undefined)
    addIssue('RERANK', 'expected without RERANK_URL: one reranker orders a search, on this machine or on a server');
  if (env.RERANK === undefined && env.RERANK_MODEL_DIR !== undefined)
    addIssue('RERANK_MODEL_DIR', 'expected together with RERANK, which says what model it is');
  if (!hasOwnReranker && env.RERANK_URL === undefined && env.RERANK_EVIDENCE !== undefined)
    addIssue('RERANK_EVIDENCE', 'expected together with RERANK or RERANK_URL, whose scores it is about');
  if (Boolean(env.TEMPORAL_TLS_CERT_FILE) !== Boolean(env.TEMPORAL_TLS_KEY_FILE)) {
    addIssue('TEMPORAL_TLS_CERT_FILE', 'expected together with TEMPORAL_TLS_KEY_FILE');
  }
});

export type Config = Readonly<z.infer<typeof Environment>>;
export type VariableName = keyof typeof variables;
export const variableNames = Object.keys(variables) as VariableName[];

/** The environment is invalid. The message lists all faults by variable and contains no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The value of a variable. One that is empty, or that has the address of a Kubernetes service, counts as unset. */
function valueIn(environment: Record<string, string | undefined>, name: VariableName): string | undefined {
  const value = environment[name];
  return value === '' || isServiceAddress(name, value) ? undefined : value;
}

/** Variables that are none of Alfred's: those that the tools of agent packs name. An empty one counts as unset. */
export const readOwnVariables = (names: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(names.map((name) => [name, process.env[name] || undefined]));

/** Names of variables that look like Alfred's and that nothing reads, for a warning. */
export const ignoredVariables = (environment: Record<string, string | undefined> = process.env): string[] =>
  unknownVariables(environment, variableNames).others;

/**
 * Reads and validates the environment. An empty variable counts as unset.
 *
 * @param options `secretsMayLack`: for a command that joins a stack whose secrets only the stack itself has
 * @throws ConfigError with every wrong or missing variable and what is expected
 */
export function loadConfig(
  environment: Record<string, string | undefined> = process.env,
  { secretsMayLack = false } = {},
): Config {
  const { mistyped } = unknownVariables(environment, variableNames);
  const values = Object.fromEntries(variableNames.map((name) => [name, valueIn(environment, name)]));
  const parsed = Environment.safeParse(values);
  const faults = (parsed.error?.issues ?? []).filter(({ path: [name] }) => {
    const variable = name as VariableName;
    return !(secretsMayLack && isSecret(variable) && values[variable] === undefined);
  });
  if (faults.length === 0 && mistyped.length === 0) return parsed.data ?? Variables.parse(values);
  const lines = faults.map((issue) => {
    const name = issue.path[0] as VariableName;
    const value = values[name];
    const state =
      value === undefined ? 'is not set' : isSecret(name) ? 'is wrong' : `is "${truncate(maskSecrets(name, value))}"`;
    const path = issue.path.length > 1 ? `${issue.path.slice(1).join('.')}: ` : '';
    // For a wrong key of a record, zod puts the reason into a nested issue.
    const message = (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;
    return `  ${name} ${state}: ${path}${message} (${variables[name].description ?? ''})`;
  });
  throw new ConfigError(
    `The environment is not usable:\n${[...mistyped, ...new Set(lines)].join('\n')}\nSee docs/reference/configuration.md for every variable.`,
  );
}

/**
 * Reads the settings of text recognition alone, for a command that needs nothing else.
 *
 * @throws ConfigError
 */
export const loadOcrConfig = (
  environment: Record<string, string | undefined> = process.env,
): Pick<Config, 'ALFRED_OCR' | 'ALFRED_OCR_API_KEY'> =>
  loadPart({ ALFRED_OCR: documents.ALFRED_OCR, ALFRED_OCR_API_KEY: documents.ALFRED_OCR_API_KEY }, environment);

/** Reads what ALFRED_AGENTS says of agents, for a command that needs no servers. @throws ConfigError */
export const loadAgentsConfig = (
  environment: Record<string, string | undefined> = process.env,
): Pick<Config, 'ALFRED_AGENTS'> => loadPart({ ALFRED_AGENTS: models.ALFRED_AGENTS }, environment);

function loadPart<T extends Partial<typeof variables>>(
  part: T,
  environment: Record<string, string | undefined>,
): z.infer<z.ZodObject<T>> {
  const names = Object.keys(part) as VariableName[];
  const parsed = z.object(part).safeParse(Object.fromEntries(names.map((name) => [name, valueIn(environment, name)])));
  if (parsed.success) return parsed.data;
  throw new ConfigError(`The environment is not usable:\n${z.prettifyError(parsed.error)}`);
}

const truncate = (text: string) => (text.length > 300 ? `${text.slice(0, 299)}…` : text);

/** Whether a variable's value must never be shown, logged or stored. */
export const isSecret = (name: VariableName) => (secrets as readonly string[]).includes(name);

function maskSecrets(name: VariableName, value: string): string {
  if (isSecret(name)) return '********';
  if (!URL.canParse(value)) return name === 'DATABASE_URL' || name === 'DATABASE_DIRECT_URL' ? '********' : value;
  const parsed = new URL(value);
  if (parsed.password) parsed.password = '********';
  if (parsed.searchParams.has('password')) parsed.searchParams.set('password', '********');
  return parsed.toString().includes('********') ? parsed.toString() : value;
}

/** The effective configuration, for people: each variable's name, value, source and description. Secrets are masked. */
export function describeConfig(config: Config, environment: Record<string, string | undefined> = process.env) {
  return variableNames.map((name) => ({
    name,
    value: config[name] === undefined ? '' : maskSecrets(name, formatValue(config[name])),
    source: valueIn(environment, name) === undefined ? 'default' : 'environment',
    description: variables[name].description ?? '',
  }));
}

const formatValue = (value: Config[VariableName]) => {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
};

type ModelConfig = Pick<Config, 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY'>;

/**
 * The models of agents without an entry of their own, as `provider:model,…`: the first is used, the others are
 * fallbacks.
 */
export const defaultModelChain = (config: ModelConfig) =>
  config.ALFRED_MODEL ?? (config.ANTHROPIC_API_KEY ? 'anthropic:claude-sonnet-5-5' : 'offline:quote');

/** The model, as `provider:model`, of agents without an entry of their own. */
export const defaultModelOf = (config: ModelConfig) => defaultModelChain(config).split(',')[0] ?? '';
