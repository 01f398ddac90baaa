import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';

/** SHA-256 as people compare it: files, documents, requests. */
export const hashOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** SHA-256 as histories carry it, a third shorter. */
export const referenceOf = (content: string) => createHash('sha256').update(content).digest('base64url');

/** The statement that stores content whose hash is known, once however often it comes; a part of larger statements. */
export const insertContent = ({ tenant, subject }: Scope, hash: string, content: string) => sql`
  insert into contents (tenant, subject, hash, bytes) values (${tenant}, ${subject}, ${hash}, ${Buffer.from(content)})
  on conflict do nothing`;
