import { z } from 'zod';
import { Callback } from '../contract/callback.ts';
import {
  AddressRange,
  AgentsSettings,
  BucketPrefix,
  HostName,
  json,
  list,
  Mailbox,
  ModelChain,
  ModelOverrides,
  TenantsSettings,
  type ProviderName,
} from './settings-schemas.ts';

/** Hosts that only this machine can reach. */
const loopbackHosts = ['127.0.0.1', 'localhost', '::1'];

const port = z.coerce.number('expected a port number').int().min(0).max(65_535);
const milliseconds = z.coerce.number('expected milliseconds').int().min(0);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const url = (protocols: RegExp, example: string) =>
  z.string(`expected ${example}`).refine((value) => URL.canParse(value) && protocols.test(new URL(value).protocol), {
    error: `expected ${example}`,
  });

/** Every variable Alfred reads. The environment is read here and nowhere else. */
const variables = {
  DATABASE_URL: url(/^postgres(ql)?:$/, 'postgres://user:password@host:port/database').describe(
    'Postgres, the one place where content lives',
  ),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(500).default(20).describe('connections per process'),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/:]+:\d+$|^\[[0-9a-f:]+\]:\d+$/i, 'expected host:port')
    .default('127.0.0.1:7233')
    .describe('Temporal frontend'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default').describe('Temporal namespace'),
  TEMPORAL_API_KEY: z.string().min(1).optional().describe('API key for Temporal Cloud; switches TLS on'),
  TEMPORAL_TLS: flag.default(false).describe('true: connect with TLS'),
  TEMPORAL_TLS_SERVER_CA_FILE: z.string().optional().describe('file with the CA that signed the server’s certificate'),
  TEMPORAL_TLS_CERT_FILE: z.string().optional().describe('file with the client certificate (mTLS)'),
  TEMPORAL_TLS_KEY_FILE: z.string().optional().describe('file with the client key (mTLS)'),
  TEMPORAL_UI_URL: url(/^https?:$/, 'http://host:port')
    .default('http://127.0.0.1:8233')
    .describe('Temporal Web UI, for links'),
  ALFRED_API_HOST: z.string().min(1).default('127.0.0.1').describe('address the API binds to'),
  ALFRED_API_PORT: port.default(8080).describe('port of the API'),
  ALFRED_ALLOW_UNAUTHENTICATED_NETWORK: flag
    .default(false)
    .describe(
      'true: let the API bind beyond loopback although there is no sign-in; for a closed container network only',
    ),
  ALFRED_HEALTH_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address of a worker’s health and metrics server'),
  ALFRED_HEALTH_PORT: port.default(9464).describe('port of a worker’s health and metrics server; 0 takes a free one'),
  ALFRED_QUEUES: z
    .string()
    .regex(/^[\w-]+(,[\w-]+)*$/, 'expected names separated by commas')
    .optional()
    .describe('task queues a worker serves, when --queue is not given; default all'),
  ALFRED_DATA_DIR: z.string().min(1).default('.alfred').describe('folder for the search index and caches'),
  ALFRED_EMBEDDINGS: z
    .string()
    .regex(/^(local|none|openai:\S{1,200})$/, 'expected local, none, or openai:<model>')
    .default('local')
    .describe(
      'what makes vectors of documents: local, an ONNX model on this machine; openai:<model>, a server that speaks OpenAI’s embeddings; none, and a search goes by words alone',
    ),
  ALFRED_EMBEDDING_MODEL_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'folder with model.onnx and tokenizer.json for local embeddings; default: embedding-model in ALFRED_DATA_DIR, `npm start` fetches one',
    ),
  EMBEDDINGS_BASE_URL: url(/^https?:$/, 'http://host:port/v1')
    .optional()
    .describe('server for ALFRED_EMBEDDINGS=openai:…, with its /v1; default: OPENAI_BASE_URL, else OpenAI'),
  EMBEDDINGS_API_KEY: z.string().min(1).optional().describe('key for it; default: OPENAI_API_KEY'),
  QDRANT_URL: url(/^https?:$/, 'http://host:6333')
    .optional()
    .describe('Qdrant server that searches, http(s)://host:port; default: an embedded index in ALFRED_DATA_DIR'),
  VECTOR_DB_KEY: z.string().min(1).optional().describe('API key for Qdrant'),
  ALFRED_QDRANT_COLLECTION: z
    .string()
    .regex(/^[\w-]{1,200}$/, 'expected letters, digits, - and _')
    .default('alfred-passages')
    .describe('alias of the collection in Qdrant; an installation of its own needs one of its own'),
  ALFRED_QDRANT_SHARDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('shards of the collection; default: as Qdrant has it, one a node'),
  ALFRED_QDRANT_REPLICAS: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('copies of each shard, on nodes of their own; default: as Qdrant has it, 1'),
  ALFRED_QDRANT_ON_DISK: flag.default(false).describe('true: Qdrant keeps vectors and their index on disk'),
  ALFRED_QDRANT_QUANTIZATION: z
    .enum(['none', 'scalar', 'binary'])
    .default('none')
    .describe('how Qdrant shortens dense vectors in memory: to a quarter (scalar), to a 32nd (binary)'),
  ALFRED_WORKFLOW_BUNDLE: z
    .string()
    .optional()
    .describe('prebuilt workflow bundle; default: built at start and cached'),
  ALFRED_MODEL: ModelChain.optional().describe(
    'provider:model of all agents; more behind commas stand in while it is down; default: Claude when ANTHROPIC_API_KEY is set, else offline',
  ),
  ALFRED_AGENTS: json(AgentsSettings)
    .optional()
    .describe('JSON by agent: its models, what it does in an outage, its budgets, its approvals; see below'),
  ALFRED_TENANTS: json(TenantsSettings)
    .optional()
    .describe('JSON by tenant, or `*` for every other: limits of a day and share of the workers; see below'),
  ALFRED_MODELS: json(ModelOverrides)
    .optional()
    .describe('JSON by provider:model: prices and limits that the shipped table lacks or has otherwise; see below'),
  ALFRED_OUTAGE_FAILURES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(5)
    .describe('failures of a model in a row, within a minute, after which nobody asks it until it is back'),
  ALFRED_OUTAGE_PROBE_S: z.coerce
    .number()
    .min(0.01)
    .max(3_600)
    .default(15)
    .describe('while a model is down: seconds from one probe to the next'),
  ALFRED_OUTAGE_DRAIN_PER_S: z.coerce
    .number()
    .min(0.01)
    .max(1_000)
    .default(5)
    .describe('when a model is back: waiting tasks that go on each second'),
  ALFRED_MAX_OUTPUT_TOKENS: z.coerce
    .number()
    .int()
    .min(16)
    .max(128_000)
    .default(8_192)
    .describe('output limit of one model call'),
  ANTHROPIC_API_KEY: z.string().min(1).optional().describe('key for Claude'),
  ANTHROPIC_BASE_URL: url(/^https?:$/, 'http://host:port')
    .default('https://api.anthropic.com')
    .describe('address of the Anthropic API'),
  OPENAI_API_KEY: z.string().min(1).optional().describe('key for OpenAI, or for the server at OPENAI_BASE_URL'),
  OPENAI_BASE_URL: url(/^https?:$/, 'http://host:port/v1')
    .optional()
    .describe(
      'server that speaks Chat Completions (Azure, vLLM, Ollama, llama.cpp, …), with its /v1; default: OpenAI, when OPENAI_API_KEY is set',
    ),
  ALFRED_SCRIPT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('JSON file with what the provider `scripted` answers, for tests, demonstrations and load'),
  ALFRED_OFFLINE_FIRST_TOKEN_MS: milliseconds.default(0).describe('offline provider: time to the first token'),
  ALFRED_OFFLINE_TOKENS_PER_S: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('offline provider: pace; 0 is as fast as it can'),
  ALFRED_OUTBOUND_ALLOW: list(AddressRange)
    .default([])
    .describe(
      'IP addresses and ranges that webhooks, callbacks and sources may reach although they are not public, like 10.0.0.0/8; separated by commas',
    ),
  ALFRED_WEBHOOK_SECRET: Callback.shape.secret
    .optional()
    .describe('whsec_… that signs what agents send with send_webhook; without it they cannot'),
  ALFRED_WEBHOOK_HOSTS: list(HostName)
    .default([])
    .describe('hosts that send_webhook may call, separated by commas; default: every public one'),
  ALFRED_SMTP_URL: url(/^smtps?:$/, 'smtp://user:password@host:587 or smtps://user:password@host')
    .optional()
    .describe(
      'mail server for send_email, smtp://user:password@host:587 or smtps://…; without it agents send no email',
    ),
  ALFRED_MAIL_FROM: Mailbox.optional().describe('sender of what send_email sends: an address, or Name <address>'),
  ALFRED_MAIL_DOMAINS: list(HostName)
    .default([])
    .describe('domains that send_email may write to, separated by commas; default: every one'),
  ALFRED_S3_PREFIXES: list(BucketPrefix)
    .default([])
    .describe(
      'what sources of the kind s3 may read with Alfred’s credentials, like company-files or company-files/handbook; separated by commas; default: nothing',
    ),
  S3_ENDPOINT: url(/^https?:$/, 'http://host:port')
    .optional()
    .describe('server that speaks S3 (MinIO, https://storage.googleapis.com for GCS, …); default: AWS'),
  S3_REGION: z.string().min(1).default('us-east-1').describe('region of the buckets'),
  S3_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('key for S3 (for GCS an HMAC key); default: what AWS’s SDK finds, like AWS_ACCESS_KEY_ID or a role'),
  S3_SECRET_ACCESS_KEY: z.string().min(1).optional().describe('its secret'),
  ALFRED_MAX_UPLOAD_MB: z.coerce
    .number()
    .min(0.001)
    .max(1_024)
    .default(16)
    .describe('largest request body, and largest item of a source, in MB'),
  ALFRED_MAX_CONCURRENT_ACTIVITIES: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('per queue and process'),
  ALFRED_SWEEP_INTERVAL_S: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(30)
    .describe('how often task rows are compared with Temporal'),
  ALFRED_SHUTDOWN_GRACE_S: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600)
    .default(10)
    .describe('how long running activities may finish when a process stops'),
  ALFRED_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('least level that is logged'),
  ALFRED_LOG_FORMAT: z.enum(['json', 'pretty']).default('json').describe('pretty is for people'),
} as const;

const secrets = [
  'TEMPORAL_API_KEY',
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'EMBEDDINGS_API_KEY',
  'VECTOR_DB_KEY',
  'ALFRED_WEBHOOK_SECRET',
  'ALFRED_SMTP_URL',
  'S3_SECRET_ACCESS_KEY',
] as const satisfies (keyof typeof variables)[];

/** What a provider cannot work without: one of these. */
const needs: Partial<Record<ProviderName, readonly (keyof typeof variables)[]>> = {
  anthropic: ['ANTHROPIC_API_KEY'],
  openai: ['OPENAI_API_KEY', 'OPENAI_BASE_URL'],
};

const Environment = z.object(variables).superRefine((env, context) => {
  const issue = (name: keyof typeof variables, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message, input: undefined });
  if (!loopbackHosts.includes(env.ALFRED_API_HOST) && !env.ALFRED_ALLOW_UNAUTHENTICATED_NETWORK) {
    issue(
      'ALFRED_API_HOST',
      'without sign-in the API binds to loopback only: use 127.0.0.1, or set ALFRED_ALLOW_UNAUTHENTICATED_NETWORK=true inside a closed container network',
    );
  }
  const chains = [
    ['ALFRED_MODEL', env.ALFRED_MODEL],
    ...Object.entries(env.ALFRED_AGENTS ?? {}).map(([agent, { model }]) => [`ALFRED_AGENTS of ${agent}`, model]),
  ];
  for (const [where, chain = ''] of chains) {
    for (const name of chain.split(',')) {
      const needed = needs[name.split(':')[0] as ProviderName] ?? [];
      const [first] = needed;
      if (first && needed.every((variable) => env[variable] === undefined))
        issue(first, `is needed, because ${where} names "${name}": set ${needed.join(' or ')}, or use offline:quote`);
    }
  }
  if (Boolean(env.ALFRED_SMTP_URL) !== Boolean(env.ALFRED_MAIL_FROM)) {
    const missing = env.ALFRED_SMTP_URL ? 'ALFRED_MAIL_FROM' : 'ALFRED_SMTP_URL';
    issue(missing, 'expected ALFRED_SMTP_URL and ALFRED_MAIL_FROM together');
  }
  if (Boolean(env.S3_ACCESS_KEY_ID) !== Boolean(env.S3_SECRET_ACCESS_KEY)) {
    const missing = env.S3_ACCESS_KEY_ID ? 'S3_SECRET_ACCESS_KEY' : 'S3_ACCESS_KEY_ID';
    issue(missing, 'expected S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY together');
  }
  if (Boolean(env.TEMPORAL_TLS_CERT_FILE) !== Boolean(env.TEMPORAL_TLS_KEY_FILE)) {
    issue('TEMPORAL_TLS_CERT_FILE', 'expected together with TEMPORAL_TLS_KEY_FILE');
  }
});

export type Config = Readonly<z.infer<typeof Environment>>;
export type VariableName = keyof typeof variables;
export const variableNames = Object.keys(variables) as VariableName[];

/** The environment is wrong; the message lists every fault at once, by name, and holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and validates the environment; an empty variable counts as unset.
 *
 * @throws ConfigError that names every wrong or missing variable with what is expected
 */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(
    variableNames.map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const parsed = Environment.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = issue.path[0] as VariableName;
    const value = given[name];
    const shown =
      value === undefined ? 'is not set' : isSecret(name) ? 'is wrong' : `is "${short(masked(name, value))}"`;
    const place = issue.path.length > 1 ? `${issue.path.slice(1).join('.')}: ` : '';
    // A wrong key of a record says why in an issue of its own.
    const message = (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;
    return `  ${name} ${shown}: ${place}${message} (${variables[name].description ?? ''})`;
  });
  throw new ConfigError(
    `The environment is not usable:\n${[...new Set(lines)].join('\n')}\nSee docs/configuration.md for every variable.`,
  );
}

const short = (text: string) => (text.length > 300 ? `${text.slice(0, 299)}…` : text);

/** Whether a variable's value must not be shown or written anywhere. */
export const isSecret = (name: VariableName) => (secrets as readonly string[]).includes(name);

function masked(name: VariableName, value: string): string {
  if (isSecret(name)) return '********';
  if (!URL.canParse(value)) return name === 'DATABASE_URL' ? '********' : value;
  const parsed = new URL(value);
  if (parsed.password) parsed.password = '********';
  if (parsed.searchParams.has('password')) parsed.searchParams.set('password', '********');
  return parsed.toString().includes('********') ? parsed.toString() : value;
}

/** The effective configuration for people, secrets masked: name, value, meaning, and whether it was set or is the default. */
export function describeConfig(config: Config, environment: Record<string, string | undefined> = process.env) {
  return variableNames.map((name) => ({
    name,
    value: config[name] === undefined ? '' : masked(name, textOf(config[name])),
    source: environment[name] ? 'environment' : 'default',
    description: variables[name].description ?? '',
  }));
}

const textOf = (value: Config[VariableName]) => {
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
};

type ModelConfig = Pick<Config, 'ALFRED_MODEL' | 'ANTHROPIC_API_KEY'>;

/** The models of an agent that has none of its own: the first is asked, the others stand in. */
export const defaultChain = (config: ModelConfig) =>
  config.ALFRED_MODEL ?? (config.ANTHROPIC_API_KEY ? 'anthropic:claude-sonnet-5-5' : 'offline:quote');

/** `provider:model` that is asked first where no agent has its own. */
export const modelOf = (config: ModelConfig) => defaultChain(config).split(',')[0] ?? '';
