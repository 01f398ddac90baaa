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
  insert into contacts (id, tenant, body, words, crm_due, crm_error, updated_at)
  select gen_random_uuid(), 't' || i % 200, jsonb_build_object('emails', jsonb_build_array('p' || i || '@example.com')),
    array_to_tsvector(array['p' || i, 'example']), i % 100 = 0, case when i % 1000 = 7 then 'e' end,
    now() - i * interval '1 minute' from generate_series(0, 19999) i;
  insert into contact_keys (tenant, key, contact_id) select tenant, md5(id::text), id from contacts;
  insert into contact_ingests (id, tenant, subject, source, format, status, idempotency_key, created_at, ended_at)
  select gen_random_uuid(), 't' || i % 200, 's' || i % 500, 'api', 'csv', case when i % 1000 = 0 then 'running' else 'completed' end,
    'k' || i, now() - i * interval '1 minute', case when i % 1000 = 0 then null else now() end
  from generate_series(0, 19999) i;
  insert into contact_rejects (ingest_id, line, reason, fields, created_at)
  select id, 1, 'r', '{}', created_at from contact_ingests;
  insert into contact_merges (id, tenant, contact_id, ingest_id, line, reason, incoming, absorbed_id)
  select gen_random_uuid(), tenant, id, id, 1, 'email', '{}', gen_random_uuid() from contacts;
  analyze contacts;
  analyze contact_keys;
  analyze contact_ingests;
  analyze contact_rejects;
  analyze contact_merges;
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

/** Sends each query about contacts and their uploads, those that only workers send too. */
async function sendContactQueries({ contacts, contactIngests }: Adapters, id: string) {
  const tenant = 't7';
  const by = { tenant, subject: 's7' };
  await contacts.get(tenant, id);
  for (const query of [{}, { cursor: id }, { q: 'p19007' }]) await contacts.list(tenant, { limit: 20, ...query });
  for (const query of [{}, { cursor: id }, { contactId: id }, { ingestId: id }])
    await contacts.listMerges(tenant, { limit: 20, ...query });
  await contacts.delete(tenant, id);
  await contacts.undoMerge(tenant, id);
  await contacts.listDue(tenant, 100);
  await contacts.recordAnswers(tenant, [{ id, revision: 1, crmId: '1' }]);
  await contacts.listTenantsDue(60_000);
  await contactIngests.get(by, id);
  await contactIngests.list(by, { limit: 20 });
  await contactIngests.list(by, { limit: 20, cursor: id });
  await contactIngests.listRejects(by, id, 0, 100);
  await contactIngests.end({ ingestId: id, ...by }, 'cancelled');
  await contactIngests.listOpen({ olderThanMs: 0, limit: 100 });
  await contactIngests.removeExpired(10);
}

/** Sends each query that reaches over a whole tenant, and the usage of one subject. */
export async function sendTenantQueries(adapters: Adapters, scope: Scope, taskId: string) {
  const { ledger, schedules, sources, tasks } = adapters;
  await sendMemoryQueries(adapters, scope, taskId);
  await sendContactQueries(adapters, taskId);
  const tenant = { ...scope, of: 'tenant' as const };
  for (const reach of [scope, tenant])
    await ledger.reportUsage(reach, { from: '2024-01-01', to: '2024-12-31', by: ['day', 'model'] });
  for (const filter of [{}, { status: 'waiting' as const }, { agent: 'rare' }, { cursor: taskId }])
    await tasks.list(tenant, { limit: 20, ...filter });
  await tasks.get(tenant, taskId);
  await schedules.list(tenant, { limit: 20 });
  await sources.list(tenant, { limit: 20 });
}
