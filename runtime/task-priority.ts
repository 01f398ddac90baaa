import { createHash } from 'node:crypto';
import type { Priority } from '@temporalio/common';
import { tenantSettings } from './agent-settings.ts';
import type { Config } from './config.ts';

/**
 * Whose turn a workflow is while work waits for workers; activities have the priority of their workflow.
 *
 * @param priorityKey 1 (first) to 5 (last), default 3
 */
export const priorityOf = (config: Pick<Config, 'ALFRED_TENANTS'>, tenant: string, priorityKey?: number): Priority => ({
  fairnessKey: fairnessKeyOf(tenant),
  fairnessWeight: tenantSettings(config, tenant).fairnessWeight,
  ...(priorityKey === undefined ? {} : { priorityKey }),
});

/** Temporal takes keys of up to 64 bytes. */
const fairnessKeyOf = (tenant: string) =>
  Buffer.byteLength(tenant) <= 64 ? tenant : createHash('sha256').update(tenant).digest('hex');
