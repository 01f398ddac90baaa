import { createRequire } from 'node:module';
import { pino, stdSerializers, type DestinationStream, type Logger, type SerializedError } from 'pino';
import type { Config } from './config.ts';

export type { Logger };

/** Names under which a secret may travel in a log object; pino blanks them. */
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
 * @param destination takes the log lines as JSON instead
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

/** A database's error quotes the row it could not take; content has no place in a log. */
function serializeErrorWithoutContent(error: Error) {
  const {
    detail: _detail,
    where: _where,
    parameters: _parameters,
    internalQuery: _query,
    ...said
  } = stdSerializers.err(error) as SerializedError & Record<string, unknown>;
  return said;
}

/** @param out takes the text; default standard output */
export function prettyStream(out?: NodeJS.WritableStream): DestinationStream {
  const { build } = createRequire(import.meta.url)('pino-pretty') as { build: (options: object) => DestinationStream };
  return build({
    ignore: 'pid,hostname',
    translateTime: 'HH:MM:ss.l',
    sync: true,
    ...(out ? { destination: out } : {}),
  });
}
