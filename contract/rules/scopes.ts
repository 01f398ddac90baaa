/** What a credential may be limited to: the groups of addresses that the API document has as tags. */
export const scopeAreas = [
  'tasks',
  'approvals',
  'schedules',
  'conversations',
  'documents',
  'agents',
  'memories',
  'contacts',
  'usage',
  'identity',
  'audit',
] as const;

/** `tasks:read` allows reading, `tasks:write` everything. */
export const scopeNames = scopeAreas.flatMap((area) => [`${area}:read`, `${area}:write`] as const);

export const isScopeName = (name: string): boolean => (scopeNames as readonly string[]).includes(name);

/** Requests that read although they are a POST, by `operationId`. */
const reading: readonly string[] = ['searchDocuments'];

/** The operation by which any credential learns about itself. */
const always = 'me';

/** A request as the API document describes it. */
type Operation = { area: string | undefined; operationId: string | undefined; method: string };

/**
 * The scope that an operation needs, when the credential is limited to others.
 *
 * @param scopes of the credential; empty: no limit
 * @returns undefined when the credential may be used for it
 */
export function missingScope(scopes: readonly string[], { area, operationId, method }: Operation): string | undefined {
  if (scopes.length === 0 || operationId === always) return undefined;
  const isReading = method === 'GET' || method === 'HEAD' || reading.includes(operationId ?? '');
  if (scopes.includes(`${area}:write`) || (isReading && scopes.includes(`${area}:read`))) return undefined;
  return `${area}:${isReading ? 'read' : 'write'}`;
}
