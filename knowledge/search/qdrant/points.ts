import type { Schemas } from '@qdrant/js-client-rest';
import { v5 as namedId } from 'uuid';
import type { IndexPosition } from '../change-log.ts';
import type { IndexedDocument } from '../passage-index.ts';
import { acceptsVector, denseVector, lexicalVector, type Collection } from './collection.ts';
import { weightedTerms, type Encoder } from './bm25.ts';

const namespace = 'a3f1c1de-9d0c-4d55-8c0c-5f0e0a5f7a11';

export const pointIdOf = (chunkId: string) => namedId(chunkId, namespace);

/** The points of a document, one for each passage: vectors, and a payload to filter by. They contain no text. */
export function pointsOf(
  tenant: string,
  { documentId, readers, collection, tags, language, updatedMs, passages }: IndexedDocument,
  { encoder, into }: { encoder: Encoder; into: Collection },
): Schemas['PointStruct'][] {
  const shared = { tenant, document_id: documentId, readers, collection, tags, updated: updatedMs };
  return passages.map((passage) => {
    const terms = weightedTerms(passage, language);
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

/** A 32-bit float has at most nine significant digits. Printed as a 64-bit float it would take twice the space. */
export const numbersOf = (vector: Float32Array): number[] =>
  Array.from(vector, (number) => Number(number.toPrecision(9)));

const noPosition: IndexPosition = { source: '', applied: 0, anchor: null };

/** A tenant's position is stored as a point without vectors, so that a snapshot contains both position and points. */
export const positionPointId = (tenant: string) => namedId(`position of ${tenant}`, namespace);
export const positionPoint = (tenant: string, position: IndexPosition): Schemas['PointStruct'] => ({
  id: positionPointId(tenant),
  vector: {},
  payload: { position_of: tenant, ...position },
});

type PositionPoint = { payload?: Record<string, unknown> | null | undefined };

/** @returns the start position when there is no such point */
export function parsePosition(point: PositionPoint | undefined): IndexPosition {
  const { source, applied, anchor } = point?.payload ?? {};
  if (typeof source !== 'string' || typeof applied !== 'number') return noPosition;
  return { source, applied, anchor: typeof anchor === 'string' ? anchor : null };
}
