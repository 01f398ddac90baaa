import type { Logger } from '../../runtime/logger.ts';
export async function obtainTemporalBinary({ log }: { log: Logger }): Promise<string> {
  log.trace('x');
  return process.env.TEMPORAL_CLI_PATH ?? 'temporal';
}
