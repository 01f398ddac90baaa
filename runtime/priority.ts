import { createHash } from 'node:crypto';
import type { Priority } from '@temporalio/common';
import { tenantSettings } from './agent-settings.ts';
import type { Config } from './config.ts';

/**
 * The Temporal priority of a tenant's workflow. Activities inherit the priority of their workflow.
 *
 * @param priorityKey 1 (first) to 5 (last); Temporal's default is 3
 */
export const priorityOf = (config: Pick<Config, 'ALFRED_TENANTS'>, tenant: string, priorityKey?: number): Priority => ({
  fairnessKey: fairnessKeyOf(tenant),
  fairnessWeight: tenantSettings(config, tenant).fairnessWeight,
  ...(priorityKey === undefined ? {} : { priorityKey }),
});

/** Temporal accepts fairness keys of up to 64 bytes, so a longer tenant is replaced by its hash. */
const fairnessKeyOf = (tenant: string) =>
  Buffer.byteLength(tenant) <= 64 ? tenant : createHash('sha256').update(tenant).digest('hex');
