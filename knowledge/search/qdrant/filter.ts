import type { Schemas } from '@qdrant/js-client-rest';
import type { PassageFilter } from '../passage-index.ts';

/** All points of a tenant. */
export const ofTenant = (tenant: string): Schemas['Filter'] => ({ must: [equals('tenant', tenant)] });

/** The points of a tenant that a query searches. */
export function filterOf(
  tenant: string,
  { principals, collections, tags, language, updatedFrom, updatedTo }: PassageFilter,
): Schemas['Filter'] {
  const must: Schemas['Condition'][] = [equals('tenant', tenant), oneOf('readers', principals)];
  if (collections) must.push(oneOf('collection', collections));
  if (tags) must.push(...tags.map((tag) => equals('tags', tag)));
  if (language !== undefined) must.push(equals('language', language));
  if (updatedFrom !== undefined || updatedTo !== undefined)
    must.push({ key: 'updated', range: { gte: updatedFrom ?? null, lte: updatedTo ?? null } });
  return { must };
}

const equals = (key: string, value: string) => ({ key, match: { value } });
export const oneOf = (key: string, any: string[]) => ({ key, match: { any } });
