import type { Schemas } from '@qdrant/js-client-rest';
import { v5 as namedId } from 'uuid';
import type { IndexedDocument } from '../passage-index.ts';
import { denseVector, lexicalVector, acceptsVector, type Collection } from './collection.ts';
import { weightedTerms, type Encoder } from './bm25.ts';

const namespace = 'a3f1c1de-9d0c-4d55-8c0c-5f0e0a5f7a11';

export const pointIdOf = (chunkId: string) => namedId(chunkId, namespace);

/** The points of a document: what they are found and filtered by, and no text. */
export function pointsOf(
  tenant: string,
  { documentId, readers, collection, tags, language, updatedMs, passages }: IndexedDocument,
  { encoder, into }: { encoder: Encoder; into: Collection },
): Schemas['PointStruct'][] {
  const shared = { tenant, document_id: documentId, readers, collection, tags, updated: updatedMs };
  return passages.map((passage) => {
    const terms = weightedTerms(passage);
    return {
      id: pointIdOf(passage.chunkId),
      vector: {
        ...(terms.length > 0 ? { [lexicalVector]: encoder.passage(terms, into.averageLength) } : {}),
        ...(acceptsVector(into, passage.vector) ? { [denseVector]: numbersOf(passage.vector) } : {}),
      },
      payload: { ...shared, ...(language === null ? {} : { language }), chunk_id: passage.chunkId },
    };
  });
}

/** Nine digits are all that a 32-bit float holds; written as a 64-bit one it would take twice the space. */
export const numbersOf = (vector: Float32Array): number[] =>
  Array.from(vector, (number) => Number(number.toPrecision(9)));

/** How far a collection is for a tenant; see changes.ts. */
export type Position = { source: string; applied: number; anchor: string | null };
export const noPosition: Position = { source: '', applied: 0, anchor: null };

/** The position is a point too, without vectors: a snapshot holds it together with what it stands for. */
export const positionPointId = (tenant: string) => namedId(`position of ${tenant}`, namespace);
export const positionPoint = (tenant: string, position: Position): Schemas['PointStruct'] => ({
  id: positionPointId(tenant),
  vector: {},
  payload: { position_of: tenant, ...position },
});

export function parsePosition(mark: { payload?: Record<string, unknown> | null | undefined } | undefined): Position {
  const { source, applied, anchor } = mark?.payload ?? {};
  if (typeof source !== 'string' || typeof applied !== 'number') return noPosition;
  return { source, applied, anchor: typeof anchor === 'string' ? anchor : null };
}
