/** Undoes what a person with every right of the database does to the audit log. */
export async function tamperedLog(
  query: (text: string) => Promise<unknown>,
  statement: string,
  check: () => Promise<void>,
) {
  await query('create table audit_copy as table audit_entries');
  await query('create table audit_head_copy as table audit_head');
  await query('alter table audit_entries disable trigger user');
  await query(statement);
  try {
    await check();
  } finally {
    await query('delete from audit_entries; insert into audit_entries select * from audit_copy');
    await query('delete from audit_head; insert into audit_head select * from audit_head_copy');
    await query('drop table audit_copy, audit_head_copy');
    await query('alter table audit_entries enable always trigger audit_entries_stay');
    await query('alter table audit_entries enable always trigger audit_entries_are_not_emptied');
  }
}
