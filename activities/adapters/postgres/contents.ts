import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Contents } from '../../ports.ts';

export const hashOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** Content by hash, stored once however often it is written. */
export const createContents = (db: Database): Contents => ({
  async put(scope, content) {
    const hash = hashOf(content);
    await insertContent(scope, hash, content).execute(db);
    return hash;
  },

  async get({ tenant, subject }, hash) {
    const found = await db
      .selectFrom('contents')
      .select('bytes')
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('hash', '=', hash)
      .executeTakeFirst();
    return found?.bytes;
  },
});

/** The statement that stores content whose hash is known; also a part of larger statements. */
export const insertContent = ({ tenant, subject }: Scope, hash: string, content: string | Uint8Array) => sql`
  insert into contents (tenant, subject, hash, bytes) values (${tenant}, ${subject}, ${hash}, ${Buffer.from(content as Uint8Array)})
  on conflict do nothing`;
