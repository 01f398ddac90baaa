import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';

export const hashOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** The statement that stores content whose hash is known, once however often it comes; a part of larger statements. */
export const insertContent = ({ tenant, subject }: Scope, hash: string, content: string) => sql`
  insert into contents (tenant, subject, hash, bytes) values (${tenant}, ${subject}, ${hash}, ${Buffer.from(content)})
  on conflict do nothing`;
