import { readdir, readFile } from 'node:fs/promises';
import type { Adapters } from '../../../wiring/adapters.ts';
import { local, defaultPlacement, sha256 } from './put-document.ts';

const folder = new URL('../../../docs/examples/policies/', import.meta.url);

/** Stores the example policies as an upload does. @returns the outcome of each */
export async function putPolicies({ documents, parser }: Pick<Adapters, 'documents' | 'parser'>) {
  const outcomes = [];
  for (const name of await readdir(folder)) {
    const bytes = await readFile(new URL(name, folder));
    const file = { name, mediaType: 'application/octet-stream', contentHash: sha256(bytes), sizeBytes: bytes.length };
    const parse = () => parser.parse({ ...file, bytes }, AbortSignal.timeout(60_000));
    outcomes.push(await documents.put(local, { file, parse, placement: defaultPlacement }));
  }
  return outcomes;
}
