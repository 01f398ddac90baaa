import { statSync } from 'node:fs';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';

/** Variables that name files with secrets. */
const secretFiles = [
  'DATABASE_PASSWORD_FILE',
  'OIDC_CLIENT_SECRET_FILE',
  'ALFRED_SESSION_KEY_FILE',
  'ALFRED_AUDIT_KEY_FILE',
  'TEMPORAL_TLS_KEY_FILE',
] as const;
/** The part of a file's mode that is for all users of the machine. */
const forOthers = 0o007;

/** Warns of files with secrets that every user of the machine can open. A process calls it once, at its start. */
export function warnOfOpenSecrets(
  config: Partial<Pick<Config, (typeof secretFiles)[number]>>,
  log: Pick<Logger, 'warn'>,
  platform: NodeJS.Platform = process.platform,
): void {
  // There all files have the same mode, and rights of another kind.
  if (platform === 'win32') return;
  for (const variable of secretFiles) {
    const file = config[variable];
    const mode = file === undefined ? undefined : modeOf(file);
    if (mode !== undefined && (mode & forOthers) !== 0)
      log.warn(
        { variable, mode: mode.toString(8).padStart(4, '0') },
        'the file with a secret that this variable names is open to every user of the machine: give it the mode 0600 or 0640',
      );
  }
}

/** @returns undefined when it cannot be asked: who reads the file says why */
function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode & 0o777;
  } catch {
    return undefined;
  }
}
