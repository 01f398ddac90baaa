import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { auditKeyBytes, auditKeysIn, type AuditKeys } from './audit-key-text.ts';
import { ConfigError, type Config } from './config.ts';

export type AuditKeyConfig = Pick<Config, 'ALFRED_AUDIT_KEY' | 'ALFRED_AUDIT_KEY_FILE' | 'ALFRED_DATA_DIR'>;

/**
 * Reads the keys of the audit log.
 *
 * @param options.mayMake true: makes a key when there is none, for an Alfred of one machine
 * @throws ConfigError when there is no key, or the file holds something else
 */
export async function readAuditKeys(config: AuditKeyConfig, { mayMake }: { mayMake: boolean }): Promise<AuditKeys> {
  if (config.ALFRED_AUDIT_KEY !== undefined) return keysIn(config.ALFRED_AUDIT_KEY, 'ALFRED_AUDIT_KEY');
  const file = config.ALFRED_AUDIT_KEY_FILE ?? join(config.ALFRED_DATA_DIR, 'audit.key');
  const found = await readKeyFile(file);
  if (found?.trim() === '')
    throw new ConfigError(`${file} is empty. Write the output of \`openssl rand -base64 32\` into it.`);
  if (found !== undefined) return keysIn(found, file);
  if (!mayMake || config.ALFRED_AUDIT_KEY_FILE !== undefined)
    throw new ConfigError(
      `The audit log has no key: ALFRED_AUDIT_KEY is not set, and there is no file ${file}. Make a key with \`openssl rand -base64 32\` and give it to every process of the API, or set ALFRED_AUDIT=off to keep no audit log.`,
    );
  return keysIn(await makeKeyFile(file), file);
}

/** Another process may make the file at the same time: the first one counts, and it is never seen half written. */
async function makeKeyFile(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(auditKeyBytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft);
  }
  return readFile(file, 'utf8');
}

async function readKeyFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ConfigError(`The file with the key of the audit log cannot be read: ${file} (${code}).`, {
      cause: error,
    });
  }
}

function keysIn(text: string, from: string): AuditKeys {
  const keys = auditKeysIn(text);
  if (!keys)
    throw new ConfigError(`${from} holds no key of the audit log (expected base64 of at least 32 random bytes).`);
  return keys;
}
