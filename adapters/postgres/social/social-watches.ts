import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { SocialWatches } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** What no run has seen for so long is forgotten: then it would be new again. */
const keptFor = sql`interval '90 days'`;
/** The time of an item that is seen in every run is written once a day. */
const refreshedAfter = sql`interval '1 day'`;

/** Of one person. Each has up to hundreds of rows of what it has seen. */
const mostWatches = 100;

type Owner = Parameters<SocialWatches['see']>[0];

/** What monitors have seen, as hashes. */
export const createSocialWatches = (db: Database): SocialWatches => ({
  see: (owner, watch, ids) =>
    db.transaction().execute(async (trx) => {
      const { tenant, subject, taskId } = owner;
      // The lock of this row makes runs of one watch wait for each other.
      const { rows: watches } = await sql<{ baseline: string }>`
        insert into social_watches as w (tenant, subject, watch, baseline_task)
        select ${tenant}, ${subject}, ${watch}, ${taskId}::uuid where ${hasRoom(owner, watch)}
        on conflict (tenant, subject, watch) do update set failures = 0, failed_task = null, seen_at = now(),
          baseline_task = case when w.baseline_task is null or ${hasReportedNothing(owner, 'w.baseline_task')}
            then excluded.baseline_task else w.baseline_task end
        returning baseline_task as baseline`.execute(trx);
      if (!watches[0]) throw tooMany();
      const byHash = new Map(ids.map((id) => [hashOf(id), id]));
      const hashes = [...byHash.keys()];
      await sql`
        insert into social_seen as s (tenant, subject, watch, item, task_id)
        select ${tenant}, ${subject}, ${watch}, item, ${taskId}::uuid from unnest(${hashes}::text[]) item
        on conflict (tenant, subject, watch, item) do update set seen_at = now(),
          task_id = case when ${hasReportedNothing(owner, 's.task_id')} then excluded.task_id else s.task_id end
        where s.seen_at < now() - ${refreshedAfter} or ${hasReportedNothing(owner, 's.task_id')}`.execute(trx);
      const { rows } = await sql<{ item: string }>`
        select item from social_seen
        where tenant = ${tenant} and subject = ${subject} and watch = ${watch} and item = any(${hashes}::text[])
          and task_id = ${taskId}::uuid`.execute(trx);
      const fresh = rows.flatMap(({ item }) => byHash.get(item) ?? []);
      return { isBaseline: watches[0].baseline === taskId, fresh };
    }),

  async noteFailure(owner, watch) {
    const { tenant, subject, taskId } = owner;
    const { rows } = await sql<{ failures: number }>`
      insert into social_watches as w (tenant, subject, watch, failures, failed_task)
      select ${tenant}, ${subject}, ${watch}, 1, ${taskId}::uuid where ${hasRoom(owner, watch)}
      on conflict (tenant, subject, watch) do update set seen_at = now(), failed_task = excluded.failed_task,
        failures = w.failures + case when w.failed_task = excluded.failed_task then 0 else 1 end
      returning failures`.execute(db);
    if (!rows[0]) throw tooMany();
    return rows[0].failures;
  },

  async removeOld(limit) {
    const { rows } = await sql<{ count: number }>`
      with old_seen as (
        delete from social_seen where ctid in (
          select ctid from social_seen where seen_at < now() - ${keptFor} order by seen_at limit ${limit}) returning 1
      ), old_watches as (
        delete from social_watches where ctid in (
          select ctid from social_watches where seen_at < now() - ${keptFor} order by seen_at limit ${limit}) returning 1
      )
      select greatest((select count(*) from old_seen), (select count(*) from old_watches))::int as count`.execute(db);
    return rows[0]?.count ?? 0;
  },
});

/** Whether the task that a column names has ended without a whole answer: no person has read what it has seen. */
const hasReportedNothing = ({ tenant, subject }: Owner, column: string): RawBuilder<boolean> => sql`exists (
  select from tasks t where t.id = ${sql.ref(column)} and t.tenant = ${tenant} and t.subject = ${subject}
    and t.ended_at is not null and (t.status <> 'completed' or t.incomplete is not null))`;

/** Whether a person has this watch, or may have one more. Several that begin at once may go over it by their number. */
const hasRoom = ({ tenant, subject }: Owner, watch: string): RawBuilder<boolean> => sql`(
  exists (select from social_watches where tenant = ${tenant} and subject = ${subject} and watch = ${watch})
  or (select count(*) from social_watches where tenant = ${tenant} and subject = ${subject}) < ${mostWatches})`;

const tooMany = () =>
  new AlfredError(
    'invalid_request',
    `Your monitors watch ${mostWatches} sources, and that is the most. Use the name and the sources of one that you have. Those that you no longer use are forgotten after 90 days, or when an operator deletes them.`,
  );

const hashOf = (id: string): string => createHash('sha256').update(id).digest('base64url');
