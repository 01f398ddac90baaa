import type { Scope } from '../../../contract/references.ts';
import type { Adapters } from '../../../wiring/adapters.ts';

/** What tenants have set for agents, and memories of people and of a group. */
export const generatedMemories = `
  insert into agent_settings (tenant, agent, version, settings, note, created_by, is_newest)
  select 't' || i % 200, 'a' || i / 2000, i % 2000 / 200 + 1, '{}', 'n', 's', i % 2000 / 200 = 9
  from generate_series(0, 19999) i;
  insert into memories (id, tenant, subject, group_name, text, via, request_hash, expires_at)
  select gen_random_uuid(), 'local', 's' || i % 500, case when i % 10 = 0 then 'g' || i % 300 end, 'text ' || i, 'oidc', 'h',
    now() + i * interval '1 hour' from generate_series(0, 19999) i;
  analyze agent_settings;
  analyze memories;
  insert into social_watches (tenant, subject, watch, baseline_task, seen_at)
  select 'local', 's' || i % 500, 'w' || i, gen_random_uuid(), now() - i * interval '1 hour' from generate_series(0, 19999) i;
  insert into social_seen (tenant, subject, watch, item, task_id, seen_at)
  select 'local', 's' || i % 500, 'w' || i % 1000, 'i' || i, gen_random_uuid(), now() - i * interval '1 hour'
  from generate_series(0, 19999) i;
  analyze social_watches;
  analyze social_seen;
`;

/** Sends each query about memories, and about what a tenant has set. */
async function sendMemoryQueries(adapters: Adapters, scope: Scope, id: string) {
  const { memories, messageStore, socialWatches, tenantAgents, tenants, tasks } = adapters;
  await socialWatches.see({ ...scope, taskId: id }, 'w7', ['i7', 'i8']);
  await socialWatches.noteFailure({ ...scope, taskId: id }, 'w7');
  await socialWatches.removeOld(10);
  await memories.list(scope, { limit: 20 });
  await memories.list(scope, { limit: 20, cursor: id });
  await memories.get(scope, id);
  await memories.delete(scope, id);
  await memories.removeExpired(10);
  const [task] = await tasks.listStates([id]);
  if (!task) throw new Error(`no task ${id}`);
  await messageStore.openStep({ ...scope, taskId: id, agent: 'knowledge' }, task.head);
  const of = { tenant: 't7', agent: 'a3' };
  await tenants.find(of.tenant);
  await tenantAgents.get(of);
  await tenantAgents.get(of, 2);
  await tenantAgents.list(of, { limit: 20, cursor: '5' });
}

/** Sends each query that reaches over a whole tenant, and the usage of one subject. */
export async function sendTenantQueries(adapters: Adapters, scope: Scope, taskId: string) {
  const { ledger, schedules, sources, tasks } = adapters;
  await sendMemoryQueries(adapters, scope, taskId);
  const tenant = { ...scope, of: 'tenant' as const };
  for (const reach of [scope, tenant])
    await ledger.reportUsage(reach, { from: '2024-01-01', to: '2024-12-31', by: ['day', 'model'] });
  for (const filter of [{}, { status: 'waiting' as const }, { agent: 'rare' }, { cursor: taskId }])
    await tasks.list(tenant, { limit: 20, ...filter });
  await tasks.get(tenant, taskId);
  await schedules.list(tenant, { limit: 20 });
  await sources.list(tenant, { limit: 20 });
}
