import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { isDocumentOf } from './removed-slack-files.ts';
import { mayBecomeDocument } from './slack-files.ts';

/** A workspace, or a person or a channel of it; of one tenant, or of all that it has had. */
export type SlackErasure = { team: string; id?: string | undefined; tenant?: string | undefined };

/** How many of each, and whose they were. */
type ErasedSlack = {
  conversations: number;
  documents: number;
  files: number;
  feedback: number;
  links: number;
  channels: number;
  tenants: string[];
};

const isPerson = (id: string) => /^[UW]/.test(id);

/** Whether rows of the table or alias belong to what is meant: also to whom a person is linked with. */
function isOwned({ team, id, tenant }: SlackErasure, row: string): RawBuilder<boolean> {
  const [ofTenant, subject] = [sql.ref(`${row}.tenant`), sql.ref(`${row}.subject`)];
  const isOfTenant = tenant === undefined ? sql`true` : sql`${ofTenant} = ${tenant}`;
  if (id === undefined) return sql<boolean>`(${isOfTenant})`;
  return sql<boolean>`(${isOfTenant} and (${subject} = ${`slack:${team}:${id}`} or exists (
    select from slack_links l
    where l.team = ${team} and l.user_id = ${id} and l.tenant = ${ofTenant} and l.subject = ${subject})))`;
}

/** What a person or a channel has without a link, in a table that does not say of which workspace a row is. */
const isOwnSubject = ({ team, id, tenant }: SlackErasure): RawBuilder<boolean> =>
  sql<boolean>`(${tenant === undefined ? sql`true` : sql`tenant = ${tenant}`} and ${
    id === undefined ? sql`starts_with(subject, ${`slack:${team}:`})` : sql`subject = ${`slack:${team}:${id}`}`
  })`;

/** Documents that have come by Slack, and those of a subject that only Slack has. */
export async function listSlackDocuments(
  db: Database,
  erasure: SlackErasure,
): Promise<(Scope & { documentId: string })[]> {
  const { rows } = await sql<Scope & { documentId: string }>`
    select distinct d.tenant, d.subject, d.id as "documentId" from slack_files f join documents d on ${isDocumentOf}
    where f.team = ${erasure.team} and ${isOwned(erasure, 'f')}
      and not exists (
        select from slack_files o
        where o.document_name = f.document_name and o.tenant = f.tenant and o.subject = f.subject
          and o.team <> ${erasure.team} and o.removed_at is null)
    union
    select tenant, subject, id from documents where ${isOwnSubject(erasure)}`.execute(db);
  return rows;
}

/** Thrown to undo the transaction. */
class Rehearsed extends Error {
  readonly counts: Counts;
  constructor(counts: Counts) {
    super('nothing was deleted');
    this.counts = counts;
  }
}
type Counts = Omit<ErasedSlack, 'documents'>;

/**
 * Deletes what came by Slack, after its documents. Conversations are gone for readers at once; the sweep removes their
 * contents. Rows of files that are still being read stay, marked: their documents are removed as soon as they come.
 *
 * @param isRehearsal counts, and deletes nothing
 */
export async function eraseSlack(
  db: Database,
  erasure: SlackErasure,
  { isRehearsal }: { isRehearsal: boolean },
): Promise<Counts> {
  try {
    return await db.transaction().execute(async (trx) => {
      const counts = await erase(trx, erasure);
      if (isRehearsal) throw new Rehearsed(counts);
      return counts;
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.counts;
    throw error;
  }
}

async function erase(trx: Database, erasure: SlackErasure): Promise<Counts> {
  const { team, id, tenant } = erasure;
  const tenants = new Set<string>();
  const run = async (statement: RawBuilder<{ tenant: string }>): Promise<number> => {
    const { rows } = await statement.execute(trx);
    for (const row of rows) tenants.add(row.tenant);
    return rows.length;
  };
  const isOfTenant = tenant === undefined ? sql`true` : sql`tenant = ${tenant}`;
  const isOfUser = id === undefined ? sql`true` : sql`user_id = ${id}`;

  const conversations = await run(sql`
    update conversations c set deleted_at = now(), updated_at = now()
    where c.deleted_at is null and (${isOwnSubject(erasure)} or c.id::text in (
      select t.conversation_id from slack_threads t where t.team = ${team} and ${isOwned(erasure, 't')}))
    returning c.tenant`);
  await sql`
    update tasks set erased_at = coalesce(erased_at, now()), erase_requested_at = now()
    where conversation_id is null and erased_at is null and ${isOwnSubject(erasure)}`.execute(trx);
  await sql`delete from memories where ${isOwnSubject(erasure)}`.execute(trx);
  await sql`delete from contact_ingests where ended_at is not null and ${isOwnSubject(erasure)}`.execute(trx);
  const files = await run(sql`
    update slack_files f set removed_at = coalesce(f.removed_at, now())
    where f.team = ${team} and ${isOwned(erasure, 'f')} returning f.tenant`);
  await sql`
    delete from slack_files f
    where f.team = ${team} and f.removed_at is not null and not ${mayBecomeDocument}
      and not exists (select from documents d where ${isDocumentOf})`.execute(trx);
  const feedback = await run(sql`
    delete from slack_feedback where team = ${team} and ${isOfUser} and ${isOfTenant} returning tenant`);
  await sql`delete from slack_posts p where p.team = ${team} and ${isOwned(erasure, 'p')}`.execute(trx);
  await sql`delete from slack_threads t where t.team = ${team} and ${isOwned(erasure, 't')}`.execute(trx);
  const channels = await eraseOfChannels(trx, erasure, run);
  if (id === undefined) await sql`delete from slack_notifications where team = ${team} and ${isOfTenant}`.execute(trx);
  if (id === undefined && tenant === undefined) {
    await sql`delete from slack_inbox where team = ${team}`.execute(trx);
    await sql`delete from slack_installations where team = ${team} and state = 'ended'`.execute(trx);
  }
  // Last: they say which subject a person is.
  await sql`delete from slack_link_codes where team = ${team} and ${isOfUser} and ${isOfTenant}`.execute(trx);
  if (tenant === undefined) await sql`delete from slack_unlinked where team = ${team} and ${isOfUser}`.execute(trx);
  const links = await run(sql`
    delete from slack_links where team = ${team} and ${isOfUser} and ${isOfTenant} returning tenant`);
  return { conversations, files, feedback, links, channels, tenants: [...tenants].toSorted() };
}

/** A person is in the settings and threads of channels that are not its own. */
async function eraseOfChannels(
  trx: Database,
  { team, id, tenant }: SlackErasure,
  run: (statement: RawBuilder<{ tenant: string }>) => Promise<number>,
): Promise<number> {
  const isOfTenant = tenant === undefined ? sql`true` : sql`tenant = ${tenant}`;
  if (id === undefined || !isPerson(id))
    return run(sql`
      delete from slack_channels
      where team = ${team} and ${id === undefined ? sql`true` : sql`channel = ${id}`} and ${isOfTenant}
      returning tenant`);
  const names = sql`(
    select ${`slack:${team}:${id}`}::text as name union select ${id}::text
    union select subject from slack_links where team = ${team} and user_id = ${id})`;
  await sql`
    update slack_threads set askers = array(select a from unnest(askers) a where a not in (select name from ${names} n))
    where team = ${team} and ${isOfTenant} and ${id} = any(askers)`.execute(trx);
  await sql`
    update slack_posts set user_id = ''
    where team = ${team} and ${isOfTenant} and user_id = ${id}`.execute(trx);
  return run(sql`
    update slack_channels set user_ids = array_remove(user_ids, ${id}),
      changed_by = case when changed_by in (select name from ${names} n) then '' else changed_by end
    where team = ${team} and ${isOfTenant}
      and (${id} = any(user_ids) or changed_by in (select name from ${names} n))
    returning tenant`);
}
