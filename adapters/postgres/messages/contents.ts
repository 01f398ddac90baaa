import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Scope } from '../../../contract/references.ts';

/** SHA-256 as people compare it: files, documents, requests. */
export const hashOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/** SHA-256 as histories carry it, a third shorter. */
export const referenceOf = (content: string) => createHash('sha256').update(content).digest('base64url');

/** The advisory lock of a subject's contents: held by whoever stores one, alone by whoever removes some. */
export const contentsKey = ({ tenant, subject }: Scope) => sql`hashtextextended(${`contents/${tenant}/${subject}`}, 0)`;

/**
 * The statement that stores content whose hash is known, once however often it comes; a part of larger statements. One
 * that is there already must not be removed before what refers to it is stored too.
 */
export const insertContent = (scope: Scope, hash: string, content: string) => sql`
  insert into contents (tenant, subject, hash, bytes)
  select ${scope.tenant}, ${scope.subject}, ${hash}, ${Buffer.from(content)}::bytea
  from (select pg_advisory_xact_lock_shared(${contentsKey(scope)})) held
  on conflict do nothing`;
