import { createRequire } from 'node:module';
import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.ts';

export type { Logger };

/** Paths in log objects whose values may be secrets. pino replaces them with asterisks. */
const redacted = [
  'authorization',
  'apiKey',
  'api_key',
  'password',
  'headers.authorization',
  'headers["x-api-key"]',
  'req.headers',
  '*.apiKey',
  '*.password',
];

/**
 * Structured logs on standard output; `pretty` for people at a terminal.
 *
 * @param destination receives the log lines as JSON, in place of standard output
 */
export function createLogger(
  config: Pick<Config, 'ALFRED_LOG_LEVEL' | 'ALFRED_LOG_FORMAT'>,
  role: string,
  destination?: DestinationStream,
): Logger {
  const options = {
    level: config.ALFRED_LOG_LEVEL,
    base: { role },
    redact: { paths: redacted, censor: '********' },
    serializers: { err: serializeErrorWithoutContent },
  };
  if (destination) return pino(options, destination);
  if (config.ALFRED_LOG_FORMAT === 'json') return pino(options);
  return pino(options, prettyStream());
}

/**
 * Content must not get into a log, and some errors quote it: Postgres the row or value that it refused, a mail server
 * the address, a model provider the request, JSON.parse the text. Of an error's fields only those that identify the
 * failure are logged, and a message that may quote is left out.
 */
function serializeErrorWithoutContent(error: Error): object {
  const chain = causesOf(error);
  const provider = chain.find((cause): cause is ProviderError => 'requestID' in cause);
  if (provider) return { ...describeProviderError(provider), code: codeOf(error), stack: framesOf(error) };
  if (chain.some((cause) => cause instanceof SyntaxError))
    return { type: error.name, message: 'a text is not JSON', code: codeOf(error), stack: framesOf(error) };
  const refused = chain.find(quotesValue);
  if (refused)
    return { type: refused.name, message: 'Postgres refused a value', ...identifying(refused), stack: framesOf(error) };
  const { type, message, stack } = stdSerializers.err(error);
  const errors =
    error instanceof AggregateError ? { errors: error.errors.filter(isError).map(serializeErrorWithoutContent) } : {};
  return { type, message, ...identifying(error), stack, ...errors };
}

const isError = (value: unknown): value is Error => value instanceof Error;

/** Errors of class 22 (data exception) quote the value: `invalid input syntax for type uuid: "…"`. */
const quotesValue = (error: Error) => 'severity' in error && /^22/.test(codeOf(error) ?? '');

/** Fields of the errors of Node, Postgres, mail servers and our own that say what failed, and where. */
const identifyingFields = [
  'code',
  'errno',
  'syscall',
  'address',
  'port',
  'status',
  'responseCode',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
  'failures',
  'retryAfterMs',
  'taskId',
];

const identifying = (error: Error) =>
  Object.fromEntries(
    identifyingFields.flatMap((field) => {
      const value = (error as unknown as Record<string, unknown>)[field];
      const logged = typeof value === 'number' ? value : nameIn(value);
      return logged === undefined ? [] : [[field, logged]];
    }),
  );

/** An error of a provider's library. Its message and body are the provider's words, which may repeat the request. */
type ProviderError = Error & { status?: number | undefined; type?: unknown; code?: unknown; requestID: unknown };

function describeProviderError(error: ProviderError) {
  const { status, type, code, requestID } = error;
  return {
    type: error.constructor.name,
    message: status === undefined ? 'the provider broke off' : `the provider answered ${status}`,
    status,
    providerType: nameIn(type),
    providerCode: nameIn(code),
    requestId: nameIn(requestID),
  };
}

/** A type, code or id as providers have them; a longer text may be anything. */
const nameIn = (value: unknown) => (typeof value === 'string' && /^[\w.:-]{1,128}$/.test(value) ? value : undefined);

const codeOf = ({ code }: Error & { code?: unknown }) => nameIn(code);

/** Where an error was thrown, without its message. */
const framesOf = ({ stack = '' }: Error) =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');

/** An error and its causes, as far as they are errors. */
function causesOf(error: Error): Error[] {
  const chain: Error[] = [];
  let next: unknown = error;
  while (next instanceof Error && chain.length < 8) {
    chain.push(next);
    next = next.cause;
  }
  return chain;
}

/** Formats log lines for people. @param out receives the text; default: standard output */
export function prettyStream(out?: NodeJS.WritableStream): DestinationStream {
  const { build } = createRequire(import.meta.url)('pino-pretty') as { build: (options: object) => DestinationStream };
  return build({
    ignore: 'pid,hostname',
    translateTime: 'HH:MM:ss.l',
    sync: true,
    ...(out ? { destination: out } : {}),
  });
}
