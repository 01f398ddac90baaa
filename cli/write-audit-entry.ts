import { userInfo } from 'node:os';
import type { OperatorAction } from '../contract/rules/audit-actions.ts';
import type { Config } from '../runtime/config.ts';
import type { Database } from '../runtime/database/postgres.ts';
import type { AuditKeys } from '../runtime/audit-key-text.ts';
import type { Terminal } from './terminal/terminal.ts';

/** What an operator has changed in the database, without the API. */
type OperatorChange = { tenant: string; action: OperatorAction; resource: { type: string; id: string } };

type Deps = { config: Config; db: Database; terminal: Pick<Terminal, 'note'> };

/**
 * Writes to the audit log what an operator has just done. The machine alone says who that is, so the subject is
 * `unverified:` and the user's name there. An operator acts also when the log cannot be written: then a note says why.
 *
 * The first entry of the log is not signed here: with another key than the API has, the API would not go on behind it.
 */
export async function writeAuditEntry({ config, db, terminal }: Deps, change: OperatorChange): Promise<void> {
  if (config.ALFRED_AUDIT === 'off') return;
  try {
    const [{ createAuditWriter }, { createAuditStore }, { pino }] = await Promise.all([
      import('../adapters/audit/audit-writer.ts'),
      import('../adapters/postgres/audit/audit-store.ts'),
      import('pino'),
    ]);
    const store = createAuditStore(db);
    const entry = {
      ...change,
      subject: `unverified:${userName()}`,
      via: 'cli',
      outcome: 'ok',
      client: 'alfred',
    } as const;
    const { key_id: keyId } = await store.readHead();
    if (keyId === null) {
      const { resource, ...rest } = entry;
      return await store.addPending({ ...rest, resource_type: resource.type, resource_id: resource.id });
    }
    const keys = await keysOfLog(config, keyId);
    const writer = createAuditWriter({ store, keys: async () => keys, log: pino({ level: 'silent' }) });
    try {
      await writer.write(entry);
    } finally {
      await writer.close();
    }
  } catch (error) {
    terminal.note(`This was done, and the audit log has no entry of it: ${(error as Error).message}`);
  }
}

/**
 * The keys, of which the one signs that signed the newest entry: every process of the API has that one, and goes on
 * behind it.
 *
 * @param keyId of the newest entry
 */
async function keysOfLog(config: Config, keyId: string): Promise<AuditKeys> {
  const { readAuditKeys } = await import('../runtime/audit-keys.ts');
  const keys = await readAuditKeys(config, { mayMake: false });
  const secret = keys.byId.get(keyId);
  if (secret) return { ...keys, signing: { id: keyId, secret } };
  throw new Error(
    `it was last signed with the key ${keyId}, and here is ${[...keys.byId.keys()].join(', ')}. Set ALFRED_AUDIT_KEY or ALFRED_AUDIT_KEY_FILE as for the API.`,
  );
}

/** Who an operator is, as far as the machine says. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without a name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
