import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { AuditRecord } from '../../contract/audit.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { AuditKeys } from '../../runtime/audit-key-text.ts';
import type { AuditEntryRow } from '../../runtime/database/audit-tables.ts';

/** An entry as it is signed. */
export type SignedFields = Omit<AuditEntryRow, 'hash' | 'previous'>;

/** The longest text of a field. */
const longest = 500;

/** What the database and UTF-8 can hold, so that an entry reads back as it was signed. */
function storable(text: string): string {
  return text.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd');
}
const orNull = (text: string | undefined) => (text === undefined ? null : storable(text));

export function fieldsOf(record: AuditRecord, at: Date): Omit<SignedFields, 'seq' | 'key_id'> {
  return {
    at,
    tenant: storable(record.tenant),
    subject: storable(record.subject),
    kind: orNull(record.kind),
    via: orNull(record.via),
    action: storable(record.action),
    resource_type: orNull(record.resource?.type),
    resource_id: orNull(record.resource?.id),
    outcome: record.outcome,
    code: orNull(record.code),
    count: Math.min(record.count ?? 1, 2_147_483_647),
    request_id: orNull(record.requestId),
    address: orNull(record.address),
    country: orNull(record.country),
    client: orNull(record.client),
  };
}

const mac = (secret: KeyObject, text: string) => createHmac('sha256', secret).update(text).digest();

/** What the first entry follows. */
export const noHash = Buffer.alloc(32);

/** The hash of an entry: a MAC over the hash before it, and all that the entry says. */
export const entryHash = (secret: KeyObject, previous: Buffer, entry: SignedFields): Buffer =>
  mac(
    secret,
    `entry\n${JSON.stringify([
      previous.toString('hex'),
      entry.seq,
      entry.at.getTime(),
      entry.tenant,
      entry.subject,
      entry.kind,
      entry.via,
      entry.action,
      entry.resource_type,
      entry.resource_id,
      entry.outcome,
      entry.code,
      entry.count,
      entry.request_id,
      entry.address,
      entry.country,
      entry.client,
      entry.key_id,
    ])}`,
  );

/** Where the chain ends, and what its beginning follows. */
export type Head = { seq: number; hash: Buffer; base_seq: number; base_hash: Buffer };

export const headMac = (secret: KeyObject, { seq, hash, base_seq, base_hash }: Head): Buffer =>
  mac(secret, `head\n${JSON.stringify([seq, hash.toString('hex'), base_seq, base_hash.toString('hex')])}`);

type SignedHead = Head & { key_id: string | null; mac: Buffer | null };

/** Whether Alfred wrote the head. Before the first entry it has no MAC. */
export function isGenuineHead(head: SignedHead, { byId }: Pick<AuditKeys, 'byId'>): boolean {
  if (head.key_id === null && head.seq === 0 && head.base_seq === 0) return true;
  const secret = head.key_id === null ? undefined : byId.get(head.key_id);
  return secret !== undefined && head.mac !== null && isSame(headMac(secret, head), head.mac);
}

/**
 * Signs entries behind the end of the chain.
 *
 * @returns them, and the end of afterwards
 * @throws AlfredError when the end was changed: what is signed behind it would make that look genuine
 */
export function chainOn<T extends SignedHead>(
  before: T,
  fields: Omit<SignedFields, 'seq' | 'key_id'>[],
  { signing, byId }: AuditKeys,
) {
  if (!isGenuineHead(before, { byId })) throw changedEnd();
  let { seq } = before;
  let hash = before.hash.length === 0 ? noHash : before.hash;
  const entries: AuditEntryRow[] = fields.map((one) => {
    const previous = hash;
    const entry = { seq: ++seq, ...one, key_id: signing.id };
    hash = entryHash(signing.secret, previous, entry);
    return { ...entry, previous, hash };
  });
  const after = { ...before, seq, hash, key_id: signing.id };
  return { entries, after: { ...after, mac: headMac(signing.secret, after) } };
}

/** What is signed behind an end that was changed would make it look genuine. */
export const changedEnd = () =>
  new AlfredError(
    'internal',
    'The end of the audit log is not what Alfred wrote: `alfred audit verify` says what was changed.',
  );

export const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

/** A signed state of the chain. */
export type Checkpoint = { seq: number; hash: Buffer; at: Date; key_id: string; mac: Buffer };

export const checkpointMac = (secret: KeyObject, { seq, hash, at, key_id }: Omit<Checkpoint, 'mac'>): Buffer =>
  mac(secret, `checkpoint\n${JSON.stringify([seq, hash.toString('hex'), at.getTime(), key_id])}`);
