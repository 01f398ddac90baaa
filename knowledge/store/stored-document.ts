import { sql } from 'kysely';
import type { Chunking } from '../../contract/chunking.ts';
import type { Placement } from '../../contract/documents.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { DocumentToStore, UploadRef } from '../../contract/ports/index.ts';
import type { KeptPrincipal } from '../../contract/principal.ts';
import type { Scope } from '../../contract/references.ts';
import { rolesLeft } from '../../contract/roles.ts';
import { documentReachOf } from '../../contract/rules/policy.ts';
import { createCurrentRights } from '../../adapters/postgres/identity/current-rights.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import { ownedIngestions } from './ingestion-rows.ts';
import { isReadable } from './readable.ts';

export type File = DocumentToStore['file'];
/** Whether the text of pictures is read. */
export type Recognising = { recognises: boolean };
type Reading = Recognising & { chunking: Chunking };

/** A file on its way to be a document. */
export type Sent = Reading & { file: File; placement: Placement; upload?: UploadRef | undefined };

/**
 * Finds the document that a file is another version of: the subject's own. An upload of a person also meets those of
 * others that the person may read. What may not be read takes no part, and a source meets only what its owner added:
 * else another person could take the names of its pages first.
 *
 * @param options.lock locks the document until the end of the transaction, so that the rights still hold at the write
 * @returns undefined when the file is to be a document of its own
 * @throws AlfredError `document_not_yours` when the subject may read that document and not change it;
 *   `file_name_taken` when it came from elsewhere
 */
export async function findStored(db: Database, scope: Scope, sent: Sent, { lock = false } = {}) {
  const { file, placement } = sent;
  const query = db
    .selectFrom('documents as d')
    .select([
      'id',
      'content_hash',
      'subject',
      'readers',
      'tags',
      'media_type',
      'unread_pictures',
      'chunk_tokens',
      'overlap_tokens',
      'updated_at',
      'origin',
    ])
    .where('tenant', '=', scope.tenant)
    .where('collection', '=', placement.collection)
    .where('name', '=', file.name)
    .where(sent.upload ? isReadable(scope) : sql<boolean>`d.subject = ${scope.subject}`)
    .orderBy(sql`d.subject = ${scope.subject}`, 'desc')
    .orderBy(sql`d.content_hash = ${file.contentHash}`, 'desc')
    .orderBy('created_at')
    .orderBy('id')
    .limit(2);
  const found = await (lock ? query.forNoKeyUpdate() : query).execute();
  const [document] = found;
  if (!document) return undefined;
  // With other readers than asked for, the file would not be there for those whom the sender means.
  const asked = { ...placement, readers: placement.readers ?? ['everyone'] };
  const isSame = isUpToDate(document, file, sent) && !isPlacedDifferently(document, asked);
  if (document.subject !== scope.subject && !isSame) await refuseForeign(db, scope, sent, found);
  if (document.content_hash !== file.contentHash) refuseOtherOrigin(file.name, document.origin, placement);
  return document;
}

/**
 * A document of another is replaced only when the sender says so: its owner reads what comes, and decides who reads it.
 *
 * @throws AlfredError `document_not_yours` unless the subject may change the one document of another, and says so
 */
async function refuseForeign(
  db: Database,
  scope: Scope,
  { file: { name }, placement: { collection, readers, replace }, upload }: Sent,
  found: { subject: string }[],
): Promise<void> {
  const [document, another] = found;
  const refuse = (why: string) => new AlfredError('document_not_yours', `${name}: ${why}`);
  if (!document) return;
  const owners = found.map(({ subject }) => subject).join(' and ');
  if (!(await changesOthers(db, scope, upload)))
    throw refuse(
      `the document of that name in the collection ${collection} was added by ${owners}. Give this one another name or collection, or ask its owner to change it.`,
    );
  if (another)
    throw refuse(
      `${owners} have each added a document of that name in the collection ${collection}. Give this one another name, or remove one of the two first.`,
    );
  if (readers) throw refuse(`only its owner, ${owners}, decides who may read it. Add it again without readers.`);
  if (!replace)
    throw refuse(
      `the document of that name in the collection ${collection} was added by ${owners}. Say that this one takes its place (\`--replace\`), which ${owners} reads then, or give it another name or collection.`,
    );
}

/**
 * Whether a subject may change documents of others that it may read. Of the roles that the upload was sent with, those
 * count that the subject still has. What comes from a source changes documents of the source's owner only.
 */
async function changesOthers(db: Database, scope: Scope, upload: UploadRef | undefined): Promise<boolean> {
  if (!upload) return false;
  const row = await ownedIngestions(db, scope, upload.ingestionId).select('principal').executeTakeFirst();
  const sender = row?.principal as KeptPrincipal | null | undefined;
  if (!sender) return false;
  const { tenant, subject } = scope;
  const current = await createCurrentRights(db).rolesOf({ tenant, subject });
  const roles = current === undefined ? sender.roles : rolesLeft(sender.roles, current);
  return documentReachOf({ tenant, subject, roles, via: sender.via }, 'change').of !== undefined;
}

/** Two folders may hold files of the same name: one does not replace the other unless the sender says so. */
function refuseOtherOrigin(name: string, stored: string | null, { origin, replace }: Placement) {
  if (stored === null || origin === undefined || stored === origin || replace) return;
  throw new AlfredError(
    'file_name_taken',
    `${name}: a document of that name came from somewhere else (${stored}) and holds something else. Give this file another name (\`--prefix\`), or say that it takes the other's place (\`--replace\`).`,
  );
}

const isSameSet = (a: string[], b: string[]) => JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

type Placed = { readers: string[]; tags: string[]; origin: string | null };

/** Whether a document's readers or tags differ from those that are asked for, or it moves to another origin. */
export const isPlacedDifferently = (current: Placed, { readers, tags, origin, replace }: Placement) =>
  !isSameSet(current.readers, readers ?? current.readers) ||
  !isSameSet(current.tags, tags ?? current.tags) ||
  (replace === true && origin !== undefined && current.origin !== origin);

type StoredVersion = {
  content_hash: string;
  chunk_tokens: number;
  overlap_tokens: number;
  media_type: string;
  unread_pictures: boolean | null;
};

/** Whether a document has the file's content, cut in this way, with the text of its pictures if that is read now. */
export const isUpToDate = (stored: StoredVersion, { contentHash }: File, { chunking, recognises }: Reading) =>
  stored.content_hash === contentHash &&
  stored.chunk_tokens === chunking.chunkTokens &&
  stored.overlap_tokens === chunking.overlapTokens &&
  // Of documents from before it is not known, so scans are looked for once.
  !(recognises && (stored.unread_pictures ?? stored.media_type === 'application/pdf'));
