import { sql } from 'kysely';
import type { TenantAdmin, TenantReport } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { readTenantUse } from './tenant-use.ts';

/** What operators do with tenants. It shows numbers, no content. */
export const createTenantAdmin = (db: Database, listNames: () => Promise<string[]>): TenantAdmin => {
  const get = (name: string) => readReport(db, name);
  return {
    async add(name) {
      await insertTenant(db, name);
      return get(name);
    },

    async get(name) {
      const report = await get(name);
      return report.state !== 'implicit' || (await listNames()).includes(name) ? report : undefined;
    },

    async list() {
      const added = await db.selectFrom('tenants').select('name').execute();
      const names = new Set([...added.map(({ name }) => name), ...(await listNames())]);
      const reports: TenantReport[] = [];
      for (const name of [...names].toSorted()) reports.push(await get(name));
      return reports;
    },

    async suspend(name, reason) {
      await sql`
        insert into tenants as t (name, state, reason, suspended_at) values (${name}, 'suspended', ${reason}, now())
        on conflict (name) do update set state = 'suspended', reason = excluded.reason,
          suspended_at = coalesce(t.suspended_at, excluded.suspended_at)`.execute(db);
      return get(name);
    },

    async resume(name) {
      const { rows } = await sql`
        update tenants set state = 'active', reason = null, suspended_at = null where name = ${name} returning 1`.execute(
        db,
      );
      return rows.length > 0 ? get(name) : undefined;
    },

    async limit(name, limits) {
      await insertTenant(db, name);
      await sql`
        update tenants set limits = jsonb_strip_nulls(limits || ${JSON.stringify(limits)}::jsonb) where name = ${name}`.execute(
        db,
      );
      return get(name);
    },
  };
};

const insertTenant = (db: Database, name: string) =>
  sql`insert into tenants (name) values (${name}) on conflict do nothing`.execute(db);

async function readReport(db: Database, name: string): Promise<TenantReport> {
  const row = await db.selectFrom('tenants').selectAll().where('name', '=', name).executeTakeFirst();
  return {
    name,
    state: row ? (row.state === 'suspended' ? 'suspended' : 'active') : 'implicit',
    reason: row?.reason ?? null,
    limits: row?.limits ?? {},
    createdAt: row?.created_at.toISOString() ?? null,
    suspendedAt: row?.suspended_at?.toISOString() ?? null,
    use: await readTenantUse(db, name),
  };
}
