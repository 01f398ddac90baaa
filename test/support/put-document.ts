import { createHash } from 'node:crypto';
import { createDocuments } from '../../activities/adapters/postgres/documents.ts';
import type { Database } from '../../runtime/postgres.ts';
import { plainParser } from './plain-parser.ts';

export const local = { tenant: 'local', subject: 'local' };

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** Stores a text as a document, read by the plain parser. @returns what became of it */
export async function putDocument(db: Database, name: string, text: string, scope = local) {
  const bytes = Buffer.from(text);
  const file = { name, mediaType: 'text/plain', contentHash: sha256(bytes), sizeBytes: bytes.length };
  const outcome = await createDocuments(db).put(scope, file, () =>
    plainParser.parse({ ...file, bytes }, AbortSignal.timeout(5_000)),
  );
  if (outcome.state === 'failed') throw new Error(outcome.message);
  return outcome;
}
