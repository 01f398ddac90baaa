import { createCurrentRights } from '../../../adapters/postgres/identity/current-rights.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { Adapters } from '../../../wiring/adapters.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** Sends each query of API keys. */
export async function sendKeyQueries({ apiKeys }: Pick<Adapters, 'apiKeys'>, db: Database, principal: Principal) {
  const secret = { id: 'ffffffffffffffaa', hash: Buffer.alloc(32) };
  const { id, subject } = await apiKeys.create(principal, { name: 'k', roles: [], scopes: [] }, secret);
  for (const who of [principal, { ...principal, of: 'tenant' as const }])
    for (const cursor of [undefined, id]) await apiKeys.list(who, { limit: 20, cursor });
  await apiKeys.get(principal, id);
  await apiKeys.rotate(principal, id, Buffer.alloc(32), 60);
  await apiKeys.find(id);
  await apiKeys.recordUse(id);
  await createCurrentRights(db).rolesOf({ tenant: principal.tenant, subject });
  await apiKeys.revoke(principal, id);
}
