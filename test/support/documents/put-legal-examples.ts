import { readFile } from 'node:fs/promises';
import type { Adapters } from '../../../wiring/adapters.ts';
import { local, defaultPlacement, sha256 } from './put-document.ts';

const folder = new URL('../../../docs/examples/legal/', import.meta.url);
const names = ['playbook.md', 'analysis-service-agreement.md', 'privacy-policy.md'];

/** Stores the legal examples as an upload does, for everyone of the tenant. @returns the id of each, by its name */
export async function putLegalExamples(
  { documents, parser }: Pick<Adapters, 'documents' | 'parser'>,
  readers = ['everyone'],
): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const name of names) {
    const bytes = await readFile(new URL(name, folder));
    const file = {
      name: `legal/${name}`,
      mediaType: 'text/markdown',
      contentHash: sha256(bytes),
      sizeBytes: bytes.length,
    };
    const parse = () => parser.parse({ ...file, bytes }, AbortSignal.timeout(60_000));
    const outcome = await documents.put(local, { file, parse, placement: { ...defaultPlacement, readers } });
    if (outcome.state === 'failed') throw new Error(outcome.message);
    ids[file.name] = outcome.documentId;
  }
  return ids;
}
