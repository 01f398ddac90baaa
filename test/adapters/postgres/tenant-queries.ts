import type { Scope } from '../../../contract/references.ts';
import type { Adapters } from '../../../wiring/adapters.ts';

/** Sends each query that reaches over a whole tenant, and the usage of one subject. */
export async function sendTenantQueries({ ledger, schedules, sources, tasks }: Adapters, scope: Scope, taskId: string) {
  const tenant = { ...scope, of: 'tenant' as const };
  for (const reach of [scope, tenant])
    await ledger.reportUsage(reach, { from: '2024-01-01', to: '2024-12-31', by: ['day', 'model'] });
  for (const filter of [{}, { status: 'waiting' as const }, { agent: 'rare' }, { cursor: taskId }])
    await tasks.list(tenant, { limit: 20, ...filter });
  await tasks.get(tenant, taskId);
  await schedules.list(tenant, { limit: 20 });
  await sources.list(tenant, { limit: 20 });
}
