import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import type { Callback } from '../../contract/callback.ts';
import type { Placement } from '../../contract/documents.ts';
import { keptPrincipalOf, type Requester } from '../../contract/principal.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { UploadedFile } from '../../contract/ports/index.ts';
import { insertIngestionCallback } from '../../adapters/postgres/tasks/callbacks.ts';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import { storeFile } from './files.ts';

type Options = { placement: Placement; callback?: Callback | undefined };

/** Stores uploaded files and an ingestion in which all of them are pending. @returns the ingestion's id */
export const createIngestion = (
  db: Database,
  principal: Requester,
  uploads: UploadedFile[],
  { placement: { collection, readers, tags, origin, replace }, callback }: Options,
): Promise<string> =>
  db.transaction().execute(async (trx) => {
    const { tenant, subject } = principal;
    const id = newId();
    const files = uploads.map((upload, ordinal) => ({ ...upload, ordinal, hash: hashHex(upload.bytes) }));
    // Rows are locked in the order of their hashes, so two uploads of the same files never deadlock.
    const bytesByHash = new Map(files.map(({ hash, bytes }) => [hash, bytes]));
    for (const hash of [...bytesByHash.keys()].sort())
      await storeFile(trx, tenant, hash, bytesByHash.get(hash) ?? new Uint8Array());
    await trx
      .insertInto('ingestions')
      .values({
        id,
        tenant,
        subject,
        principal: keptPrincipalOf(principal) ?? null,
        status: 'running',
        ended_at: null,
        collection,
        readers: readers ?? null,
        tags: tags ?? null,
        origin: origin ?? null,
        take_over: replace ?? false,
      })
      .execute();
    const rows = files.map(({ name, mediaType, bytes, ordinal, hash }) => ({
      ordinal,
      name,
      media_type: mediaType,
      content_hash: hash,
      size_bytes: bytes.length,
    }));
    await sql`
      insert into ingestion_files (ingestion_id, ordinal, name, media_type, content_hash, size_bytes, state)
      select ${id}, f.*, 'pending'
      from json_to_recordset(${JSON.stringify(rows)})
        as f (ordinal integer, name text, media_type text, content_hash text, size_bytes integer)`.execute(trx);
    if (callback) await insertIngestionCallback(trx, { tenant, subject }, id, callback);
    return id;
  });
