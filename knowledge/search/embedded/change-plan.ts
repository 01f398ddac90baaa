import { createHash } from 'node:crypto';
import type { IndexedDocument, IndexedPassage } from '../passage-index.ts';

/** A document as the file stores it now; `chunks`: by id, whether each has a vector. */
export type StoredDocument = { hash: string; chunks: Map<string, boolean> };

/** The rows to delete from the file, and the rows to insert. */
export type ChangePlan = {
  goneDocuments: string[];
  goneChunks: string[];
  documents: { documentId: string; hash: string }[];
  facets: Set<string>;
  passages: (IndexedPassage & Pick<IndexedDocument, 'language'> & { updatedMs: number; facets: string })[];
  vectors: { chunkId: string; vector: string }[];
};

/**
 * Plans the least work that brings changed documents in the file up to date: unchanged passages stay as they are.
 *
 * @param documentIds the changed documents
 * @param documents   those of them that still exist, as they are now
 */
export function planChanges(
  documentIds: string[],
  documents: IndexedDocument[],
  stored: Map<string, StoredDocument>,
): ChangePlan {
  const current = new Map(documents.map((document) => [document.documentId, document]));
  const plan: ChangePlan = {
    goneDocuments: [],
    goneChunks: [],
    documents: [],
    facets: new Set(),
    passages: [],
    vectors: [],
  };
  for (const id of documentIds) {
    const document = current.get(id);
    if (document) planDocument(plan, document, stored.get(id));
    else {
      plan.goneDocuments.push(id);
      plan.goneChunks.push(...(stored.get(id)?.chunks.keys() ?? []));
    }
  }
  return plan;
}

function planDocument(plan: ChangePlan, document: IndexedDocument, stored: StoredDocument | undefined): void {
  const { documentId, title, language, updatedMs, passages } = document;
  const facets = facetsOf(document);
  const hash = hashOf([title, updatedMs, facets]);
  // Every row contains the title, and a passage never changes its class or time: if one differs, all rows are replaced.
  const kept = stored && hash === stored.hash ? stored.chunks : new Map<string, boolean>();
  plan.documents.push({ documentId, hash });
  plan.facets.add(facets);
  for (const passage of passages) {
    const { chunkId, vector } = passage;
    if (!kept.has(chunkId)) plan.passages.push({ ...passage, language, updatedMs, facets });
    if (vector && !kept.get(chunkId)) plan.vectors.push({ chunkId, vector: hexOf(vector) });
  }
  const currentIds = new Set(passages.map(({ chunkId }) => chunkId));
  for (const id of stored?.chunks.keys() ?? []) if (!kept.has(id) || !currentIds.has(id)) plan.goneChunks.push(id);
}

const hexOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('hex');

/** The properties of a document that decide whether its passages match a query's filter. */
export type Facets = { readers: string[]; collection: string; tags: string[]; language: string | null };

const facetsOf = ({ readers, collection, tags, language }: IndexedDocument): string =>
  JSON.stringify({ readers: [...readers].sort(), collection, tags: [...tags].sort(), language } satisfies Facets);

const hashOf = (parts: (string | number)[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
