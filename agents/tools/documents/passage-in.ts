import type { Document } from '../../../contract/documents.ts';

/** A part of a document's text as a passage that can be cited. Offsets are UTF-16 code units. */
export const passageIn = (
  { id, name, title, contentHash, version }: Document,
  { text, start, end }: { text: string; start: number; end: number },
) => ({
  chunkId: `${id}.${contentHash.slice(0, 8)}.${start}-${end}`,
  documentId: id,
  document: name,
  title,
  headingPath: [],
  page: null,
  contentHash,
  version,
  text,
  start,
  end,
});
