import { createHash } from 'node:crypto';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import type { Placement } from '../../../contract/documents.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { plainParser } from './plain-parser.ts';

export const local = { tenant: 'local', subject: 'local' };

/** The placement of documents that were uploaded without one. */
export const defaultPlacement: Placement = { collection: 'default' };

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** Stores a text as a document, parsed by `plainParser`. @throws when it is not stored */
export async function putDocument(
  db: Database,
  name: string,
  text: string,
  { scope = local, placement = {} }: { scope?: Scope; placement?: Partial<Placement> } = {},
) {
  const bytes = Buffer.from(text);
  const file = { name, mediaType: 'text/plain', contentHash: sha256(bytes), sizeBytes: bytes.length };
  const parse = () => plainParser.parse({ ...file, bytes }, AbortSignal.timeout(5_000));
  const outcome = await createDocuments(db).put(scope, {
    file,
    parse,
    placement: { ...defaultPlacement, ...placement },
  });
  if (outcome.state === 'failed') throw new Error(outcome.message);
  return outcome;
}
