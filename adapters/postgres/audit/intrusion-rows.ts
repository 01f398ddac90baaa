import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ObservedEntry } from '../../../contract/rules/intrusion/signals.ts';

/** The most entries of a window that are looked at: floods are counted in few entries. */
const mostEntries = 50_000;
const mostOrigins = 50_000;
/** How far back origins and volumes are compared. */
const originDays = 30;
const weeks = 4;

export type IntrusionRows = ReturnType<typeof createIntrusionRows>;

/** What the rules for intrusions read. They keep no state of their own: each scan reads the audit log again. */
export const createIntrusionRows = (db: Database) => ({
  /** Runs `scan` unless another process does at this moment. */
  async exclusively(scan: () => Promise<void>): Promise<void> {
    await db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ locked: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended('intrusion-scan', 0)) as locked`.execute(trx);
      if (rows[0]?.locked) await scan();
    });
  },

  async entriesSince(since: Date): Promise<ObservedEntry[]> {
    const rows = await db
      .selectFrom('audit_entries')
      .select(['at', 'tenant', 'subject', 'kind', 'action', 'resource_id', 'outcome', 'code', 'count'])
      .select(['address', 'country', 'client'])
      .where('at', '>', since)
      .where('outcome', 'in', ['ok', 'refused'])
      .limit(mostEntries)
      .execute();
    return rows.map(({ at, resource_id: resourceId, ...row }) => ({ ...row, resourceId, atMs: at.getTime() }));
  },

  /** Where subjects have signed in before, as far as each has. */
  async originsBefore(subjects: { tenant: string; subject: string }[], before: Date) {
    const { rows } = await sql<{
      tenant: string;
      subject: string;
      address: string | null;
      country: string | null;
      client: string | null;
    }>`
      select distinct e.tenant, e.subject, e.address, e.country, e.client
      from audit_entries e
      join json_to_recordset(${JSON.stringify(subjects)}::json) as s(tenant text, subject text)
        on s.tenant = e.tenant and s.subject = e.subject
      where e.action = 'sign_in' and e.outcome = 'ok'
        and e.at between ${before}::timestamptz - make_interval(days => ${originDays}) and ${before}
      limit ${mostOrigins}`.execute(db);
    return rows;
  },

  /** Those of the documents that have the tag `canary`. */
  async canariesAmong(ids: string[]): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from documents where id::text = any(${ids}) and 'canary' = any(tags)`.execute(db);
    return rows.map(({ id }) => id);
  },

  /**
   * By tenant: entries of the hour that ends at `end`, and of the same hour of the weeks before. Those without a
   * request are left out: a new schedule may run every second.
   */
  async volumesAt(end: Date): Promise<{ tenant: string; week: number; entries: number }[]> {
    const { rows } = await sql<{ tenant: string; week: number; entries: number }>`
      select e.tenant, w.week, sum(e.count)::float8 as entries
      from generate_series(0, ${weeks}::int) as w(week)
      join audit_entries e on e.at >= ${end}::timestamptz - make_interval(weeks => w.week, hours => 1)
        and e.at < ${end}::timestamptz - make_interval(weeks => w.week)
      where e.outcome = 'ok' and e.via is distinct from 'schedule' and e.via is distinct from 'expiry'
      group by e.tenant, w.week`.execute(db);
    return rows;
  },

  /** Signals that were given since then. */
  async signalsSince(since: Date) {
    return db
      .selectFrom('audit_entries')
      .select(['tenant', 'subject', 'code', 'address', 'resource_id'])
      .where('at', '>', since)
      .where('action', '=', 'intrusion.signal')
      .execute();
  },
});
