import { createRequire } from 'node:module';
import { pino, stdSerializers, type DestinationStream, type Logger, type SerializedError } from 'pino';
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

/** A Postgres error quotes the row that it refused. Content must not get into a log, so these fields are removed. */
function serializeErrorWithoutContent(error: Error) {
  const {
    detail: _detail,
    where: _where,
    parameters: _parameters,
    internalQuery: _query,
    ...withoutContent
  } = stdSerializers.err(error) as SerializedError & Record<string, unknown>;
  return withoutContent;
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
