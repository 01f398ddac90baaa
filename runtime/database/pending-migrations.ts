import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { Database } from './postgres.ts';

/** @returns the names of the migrations of this version that the database does not have */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const files = await readdir(fileURLToPath(new URL('./migrations', import.meta.url)));
  const names = files.filter((name) => name.endsWith('.sql')).map((name) => basename(name, '.sql'));
  const { rows: tables } = await sql<{ is_there: boolean }>`
    select to_regclass('migrations') is not null as is_there`.execute(db);
  if (!tables[0]?.is_there) return names.sort();
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db);
  const applied = new Set(rows.map(({ name }) => name));
  return names.filter((name) => !applied.has(name)).sort();
}
