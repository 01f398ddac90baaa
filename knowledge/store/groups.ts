import { sql } from 'kysely';
import type { Scope } from '../../contract/references.ts';
import type { Database } from '../../runtime/database/postgres.ts';
import type { Groups } from '../../contract/ports/index.ts';

/** Membership of subjects in groups. */
export const createGroups = (db: Database): Groups => ({
  async set({ tenant, subject }: Scope, groups) {
    await sql`
      with removed as (
        delete from group_members
        where tenant = ${tenant} and subject = ${subject} and group_name <> all(${groups}::text[])
      )
      insert into group_members (tenant, subject, group_name)
      select ${tenant}, ${subject}, g from unnest(${groups}::text[]) g on conflict do nothing`.execute(db);
  },
});
