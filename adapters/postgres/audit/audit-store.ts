import { sql, type Insertable, type Selectable } from 'kysely';
import type { AuditEntry, AuditList, AuditQuery } from '../../../contract/audit.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { AuditEntryRow, AuditPendingRow, AuditTables } from '../../../runtime/database/audit-tables.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

export type HeadRow = Omit<AuditTables['audit_head'], 'is_only'>;
export type PendingRow = Selectable<AuditPendingRow>;
type PreparePending = (head: HeadRow, rows: PendingRow[]) => { entries: AuditEntryRow[]; after: HeadRow };
export type CheckpointRow = AuditTables['audit_checkpoints'];
export type AuditStore = ReturnType<typeof createAuditStore>;

/** Rows that no API takes into the log, because ALFRED_AUDIT is off, go after this time. */
const pendingDays = 30;

/** Rows of the audit log. What they say and sign is made in `adapters/audit/`. */
export const createAuditStore = (db: Database) => ({
  readHead: () => readHead(db),

  /**
   * Adds entries after `before` in one statement, and moves the head.
   *
   * @returns false when the head is no longer at `before`: nothing was written
   */
  append: (entries: AuditEntryRow[], before: HeadRow, after: HeadRow) => append(db, entries, before, after),

  /**
   * Adds entries while no other process can: `prepare` gets the head and makes them.
   *
   * @param unless the first entry of an attempt before
   * @returns undefined when `unless` was stored: nothing was written
   */
  appendLocked: <T extends { entries: AuditEntryRow[]; after: HeadRow }>(
    prepare: (head: HeadRow) => T,
    unless: Pick<AuditEntryRow, 'seq' | 'hash'> | undefined,
  ): Promise<T | undefined> =>
    db.transaction().execute(async (trx) => {
      const head = await readHead(trx, { lock: true });
      if (unless && (await has(trx, unless))) return undefined;
      const prepared = prepare(head);
      if (!(await append(trx, prepared.entries, head, prepared.after))) throw new Error('the audit head has moved');
      return prepared;
    }),

  /** Leaves an entry for an API, which has the key. */
  async addPending(entry: Insertable<AuditPendingRow>): Promise<void> {
    await db.insertInto('audit_pending').values(entry).execute();
  },

  /**
   * Moves what workers have done into the log, oldest first: what is removed there is stored here, or neither.
   *
   * @param open called when there is something; gives what signs it
   * @returns what was moved
   */
  sealPending: (most: number, open: () => Promise<PreparePending>): Promise<PendingRow[]> =>
    sealPending(db, most, open),

  /** Removes what no API has taken into the log, because it keeps none. */
  removeOldPending: (limit: number): Promise<number> => removeOldPending(db, limit),

  /** Entries in their order, after a number. */
  readAfter: (seq: number, limit: number): Promise<AuditEntryRow[]> =>
    db.selectFrom('audit_entries').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute(),

  async list(tenant: string, query: AuditQuery): Promise<AuditList> {
    const rows = await listRows(db, tenant, query);
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    const nextCursor = rows.length > query.limit && last ? `${last.at.getTime()}.${last.hash.toString('hex')}` : null;
    return { entries: page.map(toEntry), nextCursor };
  },

  newestCheckpoint: (): Promise<CheckpointRow | undefined> =>
    db.selectFrom('audit_checkpoints').selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirst(),

  async saveCheckpoint(row: CheckpointRow): Promise<void> {
    await db
      .insertInto('audit_checkpoints')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  },

  /** The newest checkpoint that was made before a time. */
  checkpointBefore: (at: Date): Promise<CheckpointRow | undefined> =>
    db
      .selectFrom('audit_checkpoints')
      .selectAll()
      .where('at', '<', at)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst(),

  /** Checkpoints in their order, after a number. */
  checkpointsAfter: (seq: number, limit: number): Promise<CheckpointRow[]> =>
    db.selectFrom('audit_checkpoints').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute(),

  /** Moves the beginning of the chain. `sign` gets the head and makes that of afterwards, or undefined. */
  moveBase: (sign: (head: HeadRow) => HeadRow | undefined): Promise<void> =>
    db.transaction().execute(async (trx) => {
      const after = sign(await readHead(trx, { lock: true }));
      if (after) await trx.updateTable('audit_head').set(after).execute();
    }),

  /** Removes entries before the beginning. @returns how many; fewer than `most` when none is left */
  async removeExpired(most: number): Promise<number> {
    const { rows } = await sql<{ removed: number }>`select audit_remove_expired(${most}) as removed`.execute(db);
    return rows[0]?.removed ?? 0;
  },

  async removeCheckpointsBefore(seq: number): Promise<void> {
    await db.deleteFrom('audit_checkpoints').where('seq', '<', seq).execute();
  },
});

async function readHead(db: Database, { lock = false } = {}): Promise<HeadRow> {
  const query = db.selectFrom('audit_head').select(['seq', 'hash', 'base_seq', 'base_hash', 'key_id', 'mac']);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  if (!row)
    throw new AlfredError('internal', 'The row of audit_head is gone: `alfred audit verify` says what is left.');
  return row;
}

/** Whether an entry was stored. */
async function has(db: Database, { seq, hash }: Pick<AuditEntryRow, 'seq' | 'hash'>): Promise<boolean> {
  const query = db.selectFrom('audit_entries').select('seq').where('seq', '=', seq).where('hash', '=', hash);
  return (await query.executeTakeFirst()) !== undefined;
}

async function append(db: Database, entries: AuditEntryRow[], before: HeadRow, after: HeadRow): Promise<boolean> {
  const rows = JSON.stringify(
    entries.map((entry) => ({ ...entry, previous: entry.previous.toString('hex'), hash: entry.hash.toString('hex') })),
  );
  const { numAffectedRows } = await sql`
    with head as (
      update audit_head set seq = ${after.seq}, hash = ${after.hash}, key_id = ${after.key_id}, mac = ${after.mac}
      where seq = ${before.seq} and hash = ${before.hash} and base_seq = ${before.base_seq}
      returning 1
    )
    insert into audit_entries (
      seq, at, tenant, subject, kind, via, action, resource_type, resource_id, outcome, code, count, request_id,
      address, country, client, key_id, previous, hash)
    select seq, at, tenant, subject, kind, via, action, resource_type, resource_id, outcome, code, count, request_id,
      address, country, client, key_id, decode(previous, 'hex'), decode(hash, 'hex')
    from json_to_recordset(${rows}::json) as entry(
      seq bigint, at timestamptz, tenant text, subject text, kind text, via text, action text, resource_type text,
      resource_id text, outcome text, code text, count int, request_id text, address text, country text, client text,
      key_id text, previous text, hash text)
    where exists (select 1 from head)`.execute(db);
  return Number(numAffectedRows ?? 0) === entries.length;
}

/** All but the time: what has been done was done before now, also where a clock or a writer says otherwise. */
const pendingColumns = sql.raw('id, tenant, subject, via, action, resource_type, resource_id, outcome, code, client');

async function sealPending(db: Database, most: number, open: () => Promise<PreparePending>): Promise<PendingRow[]> {
  if (!(await db.selectFrom('audit_pending').select('id').limit(1).executeTakeFirst())) return [];
  const prepare = await open();
  return db.transaction().execute(async (trx) => {
    const head = await readHead(trx, { lock: true });
    // Of processes that come here at once, each sees what those before it have left.
    const { rows } = await sql<PendingRow>`
      with moved as (
        delete from audit_pending where id in (select id from audit_pending order by id limit ${most}) returning *
      )
      select ${pendingColumns}, least(at, clock_timestamp()) as at from moved order by id`.execute(trx);
    if (rows.length === 0) return rows;
    const { entries, after } = prepare(head, rows);
    if (!(await append(trx, entries, head, after))) throw new Error('the audit head has moved');
    return rows;
  });
}

async function removeOldPending(db: Database, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from audit_pending where at < now() - make_interval(days => ${pendingDays})
      and id in (select id from audit_pending order by id limit ${limit})`.execute(db);
  return Number(numAffectedRows ?? 0);
}

function listRows(db: Database, tenant: string, { limit, cursor, ...filter }: AuditQuery): Promise<AuditEntryRow[]> {
  let query = db
    .selectFrom('audit_entries')
    .selectAll()
    .where('tenant', '=', tenant)
    .orderBy('at', 'desc')
    .orderBy('seq', 'desc')
    .limit(limit + 1);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (filter.from !== undefined) query = query.where('at', '>=', new Date(filter.from));
  if (filter.to !== undefined) query = query.where('at', '<', new Date(filter.to));
  if (cursor !== undefined) {
    const [ms = '', hash = ''] = cursor.split('.');
    const at = new Date(Number(ms));
    // Numbers of entries would show how much other tenants do, so a cursor has none. The row may have expired since.
    query = query.where(sql<boolean>`(at, seq) < (${at}::timestamptz, coalesce((
      select seq from audit_entries where tenant = ${tenant} and at = ${at} and hash = decode(${hash}, 'hex')), 0))`);
  }
  return query.execute();
}

const toEntry = (row: AuditEntryRow): AuditEntry => ({
  id: row.hash.toString('hex'),
  at: row.at.toISOString(),
  subject: row.subject,
  kind: row.kind,
  via: row.via,
  action: row.action,
  resource: row.resource_type === null ? null : { type: row.resource_type, id: row.resource_id ?? '' },
  outcome: row.outcome as AuditEntry['outcome'],
  code: row.code,
  count: row.count,
  requestId: row.request_id,
  address: row.address,
  country: row.country,
  client: row.client,
});
