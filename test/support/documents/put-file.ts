import type { DocumentParser, Documents } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { defaultPlacement, local, sha256 } from './put-document.ts';

/** Stores a file as an upload does, with its bytes. @returns the id of the document */
export async function putFile(
  { documents, parser }: { documents: Documents; parser: DocumentParser },
  { name, mediaType = '', bytes }: { name: string; mediaType?: string; bytes: Uint8Array },
  { scope = local, readers }: { scope?: Scope; readers?: string[] } = {},
): Promise<string> {
  const placement = { ...defaultPlacement, ...(readers && { readers }) };
  const ingestionId = await documents.createIngestion(scope, [{ name, mediaType, bytes }], placement);
  const file = { name, mediaType, contentHash: sha256(bytes), sizeBytes: bytes.length };
  const outcome = await documents.put(scope, {
    file,
    parse: () => parser.parse({ name, mediaType, bytes }, AbortSignal.timeout(60_000)),
    placement,
    upload: { ingestionId, ordinal: 0 },
  });
  await documents.endIngestion(scope, ingestionId, 'completed');
  if (outcome.state === 'failed') throw new Error(outcome.message);
  return outcome.documentId;
}
