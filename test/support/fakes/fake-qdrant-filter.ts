import type { Schemas } from '@qdrant/js-client-rest';

export type SparseVector = { indices: number[]; values: number[] };
export type StoredPoint = {
  id: string;
  payload: Record<string, unknown>;
  dense: Map<string, number[]>;
  sparse: Map<string, SparseVector>;
};

/** An error response: its status and message. */
export class QdrantRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
export const refuse = (message: string): never => {
  throw new QdrantRefusal(400, message);
};

/** Whether a point passes a filter. The fake knows the conditions that Alfred sends, and refuses all others. */
export function matchesFilter(
  point: StoredPoint,
  { must, must_not, should, min_should }: Schemas['Filter'],
  indexes: ReadonlyMap<string, unknown>,
): boolean {
  if (should || min_should) refuse('the fake knows must and must_not');
  const list = (conditions: unknown) => [conditions ?? []].flat() as Schemas['Condition'][];
  return (
    list(must).every((one) => matchesCondition(point, one, indexes)) &&
    !list(must_not).some((one) => matchesCondition(point, one, indexes))
  );
}

function matchesCondition(
  point: StoredPoint,
  condition: Schemas['Condition'],
  indexes: ReadonlyMap<string, unknown>,
): boolean {
  if ('has_id' in condition) return condition.has_id.map(idOf).includes(point.id);
  if ('has_vector' in condition) return point.dense.has(condition.has_vector) || point.sparse.has(condition.has_vector);
  if (!('key' in condition)) return refuse('the fake knows no such condition');
  const { key, match, range } = condition;
  // As a server in strict mode: without an index it would have to scan every point.
  if (!indexes.has(key)) refuse(`Bad request: Index required but not found for "${key}"`);
  const values = [point.payload[key] ?? []].flat();
  const { gte, lte } = (range ?? {}) as { gte?: number | null; lte?: number | null };
  if (range) return values.some((value) => Number(value) >= (gte ?? -Infinity) && Number(value) <= (lte ?? Infinity));
  const wanted = match && ('any' in match ? match.any : 'value' in match ? [match.value] : undefined);
  if (!wanted) return refuse('the fake knows match by value and by any');
  return values.some((value) => (wanted as unknown[]).includes(value));
}

/** A point id as the server returns it. @throws QdrantRefusal for an invalid id */
export function idOf(id: Schemas['ExtendedPointId']): string {
  if (typeof id === 'number' ? Number.isInteger(id) && id >= 0 : /^[0-9a-f-]{36}$/.test(id)) return String(id);
  return refuse(`${id} is not a valid point ID, valid values are either an unsigned integer or a UUID`);
}
