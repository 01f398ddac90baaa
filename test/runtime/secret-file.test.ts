import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readAuditKeys } from '../../runtime/audit-keys.ts';
import { warnOfOpenSecrets } from '../../runtime/open-secrets.ts';
import { readPassword } from '../../runtime/database/database-url.ts';
import { connectTemporal } from '../../runtime/temporal.ts';
import { readSecretFile } from '../../runtime/secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'alfred-secrets-'));
const write = (name: string, text: string, mode = 0o600) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

test('a file without a secret is refused, with what is to be in it; a line break at the end is none of it', async () => {
  for (const text of ['', '\n', ' \r\n']) {
    const file = write('empty', text);
    expect(() => readSecretFile('SOME_FILE', file, 'the secret')).toThrow(
      `SOME_FILE is empty: ${file}. Write the secret into it.`,
    );
    expect(() => readPassword(file)).toThrow('DATABASE_PASSWORD_FILE is empty');
    const keys = readAuditKeys({ ALFRED_AUDIT_KEY_FILE: file } as never, { mayMake: true });
    await expect(keys).rejects.toThrow(`${file} is empty. Write`);
    await expect(connectTemporal({ TEMPORAL_TLS_KEY_FILE: file } as never)).rejects.toThrow('TLS_KEY_FILE is empty');
  }
  expect(readSecretFile('SOME_FILE', write('full', ' a secret \r\n'), 'the secret')).toBe(' a secret ');
});

test('files with secrets that every user of the machine can open are named once, without what is in them', () => {
  const config = {
    DATABASE_PASSWORD_FILE: write('password', 'the password', 0o644),
    OIDC_CLIENT_SECRET_FILE: write('secret', 'the password', 0o640),
    ALFRED_SESSION_KEY_FILE: write('session', 'the password', 0o400),
    ALFRED_AUDIT_KEY_FILE: write('audit', 'the password', 0o444),
    TEMPORAL_TLS_KEY_FILE: join(folder, 'missing'),
  };
  const warnings: unknown[] = [];
  const log = { warn: (fields: unknown) => void warnings.push(fields) } as never;
  warnOfOpenSecrets(config, log, 'linux');
  expect(warnings).toEqual([
    { variable: 'DATABASE_PASSWORD_FILE', mode: '0644' },
    { variable: 'ALFRED_AUDIT_KEY_FILE', mode: '0444' },
  ]);
  warnOfOpenSecrets(config, log, 'win32');
  expect(warnings).toHaveLength(2);
});
