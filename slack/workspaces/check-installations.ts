import type { SlackInstallations } from '../../contract/ports/index.ts';
import { ConfigError } from '../../runtime/config.ts';
import { isDatabaseUnavailable, isUndefinedTable } from '../../runtime/database/database-errors.ts';
import type { Logger } from '../../runtime/logger.ts';

/**
 * Checks at the start that the keys open all stored tokens, and encrypts them with the newest key.
 *
 * @throws ConfigError with what to do about those that no key opens
 */
export async function checkInstallations(
  installations: Pick<SlackInstallations, 'renewEncryption' | 'keyIds'>,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const keyIds = readKeyIds(installations);
  let closed: { team: string; keyId: string }[];
  try {
    closed = await installations.renewEncryption();
  } catch (error) {
    if (!isDatabaseUnavailable(error) && !isUndefinedTable(error)) throw error;
    log.warn({ err: error }, 'the installed workspaces could not be read; they are read when the database is back');
    return;
  }
  if (closed.length === 0) return;
  const teams = closed.map(({ team }) => team).join(', ');
  const keys = [...new Set(closed.map(({ keyId }) => keyId))].join(', ');
  throw new ConfigError(
    `SLACK_INSTALLATION_KEY does not open the tokens of these workspaces: ${teams}. They were encrypted with the key ${keys}; here is ${keyIds.join(', ')}. Set the earlier key behind the new one, after a comma. If it is lost, remove them (\`alfred slack workspaces remove\`), and let them install Alfred again.`,
  );
}

function readKeyIds(installations: Pick<SlackInstallations, 'keyIds'>): string[] {
  try {
    return installations.keyIds();
  } catch (error) {
    // The file of the keys.
    throw new ConfigError((error as Error).message, { cause: error });
  }
}
