import type { Adapters } from '../../../wiring/adapters.ts';

type Ids = { task: string; conversation: string };
const reader = { tenant: 'local', subject: 's8' };

/** Shares of the generated rows with 200 groups, of which the reader is in three. */
export const generatedShares = `
  insert into task_readers (task_id, reader, tenant)
    select id, 'group:g' || (row_number() over (order by id)) % 200, tenant from tasks;
  insert into conversation_readers (conversation_id, reader, tenant)
    select id, 'group:g' || (row_number() over (order by id)) % 200, tenant from conversations;
  insert into group_members (tenant, group_name, subject) select 'local', 'g' || n, 's8' from generate_series(1, 3) n;
  analyze task_readers;
  analyze conversation_readers;
  analyze group_members;`;

/** Sends each query of what is shared. */
export async function sendShareQueries({ shares, tasks, conversationRows }: Adapters, owner: typeof reader, ids: Ids) {
  for (const what of [{ taskId: ids.task }, { conversationId: ids.conversation }]) {
    await shares.findOwner(reader, what);
    await shares.listReaders(owner, what);
    await shares.setReaders(owner, what, ['group:g1']);
  }
  for (const filter of [{}, { agent: 'rare' }, { status: 'failed' as const }, { cursor: ids.task }])
    await tasks.list(reader, { limit: 20, shared: true, ...filter });
  await conversationRows.list(reader, { limit: 20, of: 'shared', archived: 'false' });
}
