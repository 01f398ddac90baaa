import type { FastifyRequest } from 'fastify';
import { addsDocuments, startsWork } from '../../contract/rules/tenant-rules.ts';
import { AlfredError } from '../../contract/errors.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * Refuses what starts work for a suspended tenant, and documents for which a tenant has no room; with
 * ALFRED_ONLY_LISTED_TENANTS everything of a tenant that was not added. What only reads asks nothing otherwise.
 *
 * @throws AlfredError `tenant_unknown`, `tenant_suspended`, `tenant_full`
 */
export async function checkTenant(
  { scope, method, routeOptions }: Pick<FastifyRequest, 'scope' | 'method' | 'routeOptions'>,
  { config, tenants }: Pick<ApiDeps, 'config' | 'tenants'>,
): Promise<void> {
  const operation = { operationId: routeOptions.schema?.operationId, method };
  // An address that does not exist has no operation; it is answered with 404.
  if (operation.operationId === undefined) return;
  if (startsWork(operation)) await tenants.requireActive(scope.tenant);
  else if (config.ALFRED_ONLY_LISTED_TENANTS && (await tenants.find(scope.tenant)).state === 'unlisted')
    throw new AlfredError('tenant_unknown');
  if (addsDocuments(operation)) await tenants.requireRoom(scope.tenant);
}
