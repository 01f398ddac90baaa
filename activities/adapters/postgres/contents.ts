import { createHash } from 'node:crypto';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/postgres.ts';
import type { Contents } from '../../ports.ts';

export const hashOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** Content by hash, stored once however often it is written. */
export const createContents = (db: Database): Contents => ({
  async put(scope, content) {
    const hash = hashOf(content);
    await insertContent(db, scope, hash, content);
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

/** Inserts content whose hash is known, inside the caller's transaction if it has one. */
export const insertContent = (db: Database, { tenant, subject }: Scope, hash: string, content: string | Uint8Array) =>
  db
    .insertInto('contents')
    .values({ tenant, subject, hash, bytes: Buffer.from(content as Uint8Array) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
