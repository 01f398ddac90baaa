import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as newId } from 'uuid';
import { mostLines, type ContactLine } from '../../../contract/contacts.ts';
import { AlfredError, InvalidRequest } from '../../../contract/errors.ts';
import type { ContactReader, ContactUpload } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { hashRequest } from '../hashes.ts';

/** What is stored in one transaction later, and held in memory now. */
export const usualBatch = { lines: 1_000, characters: 2_000_000 };

/**
 * Stores the lines of an upload batch by batch, as they come. No reader sees the upload before all of it is there.
 *
 * @returns the id of the upload, or of the one before with the same key
 */
export async function receiveContacts(
  { db, read, batch }: { db: Database; read: ContactReader; batch: typeof usualBatch },
  by: Scope,
  upload: ContactUpload,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ id: string; isNew: boolean }> {
  const id = newId();
  const { tenant, subject } = by;
  const { source, format, charset, name = null, country = null } = upload;
  await db
    .insertInto('contact_ingests')
    .values({ id, tenant, subject, source, format, name, country, status: 'receiving' })
    .execute();
  try {
    const hash = createHash('sha256');
    const hashed = async function* () {
      for await (const chunk of bytes) {
        hash.update(chunk);
        yield chunk;
      }
    };
    const received = await storeLines(db, id, { items: read(hashed(), { format, charset }), batch });
    if (received.lines === 0) throw new InvalidRequest([{ path: '', message: 'has no contact; expected one or more' }]);
    const requestHash = hashRequest({ format, country, name, bytes: hash.digest('hex') });
    const known = await release(db, by, { id, key: upload.idempotencyKey, requestHash, ...received });
    if (known !== undefined) await remove(db, by, id);
    return { id: known ?? id, isNew: known === undefined };
  } catch (error) {
    // What is left when this fails too is removed by the sweep.
    await remove(db, by, id).catch(() => undefined);
    throw error;
  }
}

const remove = (db: Database, { tenant }: Scope, id: string) =>
  db.deleteFrom('contact_ingests').where('id', '=', id).where('tenant', '=', tenant).execute();

type Received = { lines: number; batches: number; columns: string[] | null };

async function storeLines(
  db: Database,
  id: string,
  { items, batch }: { items: ReturnType<ContactReader>; batch: typeof usualBatch },
): Promise<Received> {
  const received: Received = { lines: 0, batches: 0, columns: null };
  let open: string[] = [];
  let size = 0;
  const flush = async () => {
    if (open.length === 0) return;
    await sql`
      insert into contact_ingest_batches (ingest_id, number, lines)
      values (${id}, ${received.batches}, ${`[${open.join(',')}]`}::jsonb)`.execute(db);
    received.batches++;
    [open, size] = [[], 0];
  };
  for await (const item of items) {
    if ('columns' in item) {
      received.columns = item.columns;
      continue;
    }
    received.lines++;
    if (received.lines > mostLines)
      throw new InvalidRequest([{ path: '', message: `has more than ${mostLines} contacts. Send it in parts` }]);
    const json = storableJson(item);
    open.push(json);
    size += json.length;
    if (open.length === batch.lines || size > batch.characters) await flush();
  }
  await flush();
  return received;
}

/** JSON that Postgres can hold. A line with other characters is rejected later, and kept without them. */
function storableJson(line: ContactLine): string {
  const json = JSON.stringify(line);
  if (!/\\u0000|\\ud[89a-f]/.test(json)) return json;
  const clean = (text: string) => text.replaceAll('\u0000', '\ufffd').toWellFormed();
  const fields = Object.fromEntries(Object.entries(line.fields).map(([key, value]) => [clean(key), clean(value)]));
  return JSON.stringify({ ...line, fields, fault: line.fault ?? 'has characters that no text can have' });
}

/**
 * Lets an upload begin. @returns the upload before with the same key
 *
 * @throws AlfredError `idempotency_key_reused`
 */
const release = (
  db: Database,
  { tenant, subject }: Scope,
  {
    id,
    key,
    requestHash,
    lines,
    batches,
    columns,
  }: Received & { id: string; key: string | undefined; requestHash: string },
): Promise<string | undefined> =>
  db.transaction().execute(async (trx) => {
    if (key !== undefined) {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`contact-ingest/${tenant}/${subject}/${key}`}, 0))`.execute(
        trx,
      );
      const known = await trx
        .selectFrom('contact_ingests')
        .select(['id', 'request_hash'])
        .where('tenant', '=', tenant)
        .where('subject', '=', subject)
        .where('idempotency_key', '=', key)
        .executeTakeFirst();
      if (known && known.request_hash !== requestHash)
        throw new AlfredError(
          'idempotency_key_reused',
          `The Idempotency-Key "${key}" was used with other contacts, for the upload ${known.id}.`,
        );
      if (known) return known.id;
    }
    await trx
      .updateTable('contact_ingests')
      .set({ status: 'running', lines, batches, columns, idempotency_key: key ?? null, request_hash: requestHash })
      .where('id', '=', id)
      .where('tenant', '=', tenant)
      .execute();
    return undefined;
  });
