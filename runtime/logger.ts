import { createRequire } from 'node:module';
import { pino, type Logger } from 'pino';
import type { Config } from './config.ts';

export type { Logger };

/** Names under which a secret may travel in a log object; pino blanks them. */
const redacted = ['authorization', 'apiKey', 'api_key', 'password', 'headers.authorization', 'headers["x-api-key"]', 'req.headers', '*.apiKey', '*.password'];

/** Structured logs on standard output; `pretty` for people at a terminal. */
export function createLogger(config: Pick<Config, 'ALFRED_LOG_LEVEL' | 'ALFRED_LOG_FORMAT'>, role: string): Logger {
  const options = { level: config.ALFRED_LOG_LEVEL, base: { role }, redact: { paths: redacted, censor: '********' } };
  if (config.ALFRED_LOG_FORMAT === 'json') return pino(options);
  const { build } = createRequire(import.meta.url)('pino-pretty') as { build: (options: object) => NodeJS.WritableStream };
  return pino(options, build({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', sync: true }));
}
