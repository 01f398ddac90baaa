import { loadConfig, type Config } from '../runtime/config.ts';
import { localRun, stackEnvironment } from './stack.ts';

/**
 * The configuration for a command that uses the servers itself. Of a stack that runs in this clone it knows everything
 * but the secrets, which are written to no file.
 *
 * @throws ConfigError
 */
export async function loadStackConfig(): Promise<Config> {
  const secretsMayLack = (await localRun()) !== undefined;
  return loadConfig(await stackEnvironment(), { secretsMayLack });
}
