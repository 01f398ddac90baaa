import { createLogger } from '../runtime/logger.ts';

/** For parts that want a log where a command has its own words. */
export const silentLog = createLogger({ ALFRED_LOG_LEVEL: 'silent', ALFRED_LOG_FORMAT: 'json' }, 'cli');
