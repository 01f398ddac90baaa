import { sql } from 'kysely';
import type { SlackUser, SlackUserLink, SlackUserLinks } from '../../../contract/ports/index.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { leaveLinkEntry } from './leave-link-entry.ts';
import { lockSlackUser } from './lock-slack-user.ts';

/** Which subjects Slack users are. */
export const createSlackUserLinks = (db: Database): SlackUserLinks => ({
  find: (team, userId) => findLink(db, { team, userId }),

  async follow(user, email, maxAgeDays) {
    const state = await readState(db, user, email);
    if (isSettled(state, maxAgeDays)) return { ...resultOf(state), changes: [] };
    return db.transaction().execute(async (trx) => {
      await lockSlackUser(trx, user);
      const changes = await settle(trx, user, { email, maxAgeDays });
      return { ...resultOf(await readState(trx, user, email)), changes };
    });
  },
});

/** A subject with the address. `ageDays`: since its newest token with it. */
type Holder = { subject: string; ageDays: number };

/** `isKept`: the link is one that the person has made, or the address is still that of its subject alone. */
type State = { link: SlackUserLink | undefined; holders: Holder[]; isKept: boolean };

/** The newest sign-in that a link `l` with its subject `s` rests on. Who makes a link has signed in for it. */
export const signedInAt = sql`
  coalesce(case l.made_by when 'email' then s.email_at else greatest(l.linked_at, s.issued_at) end, l.linked_at)`;

async function findLink(db: Database, { team, userId }: Omit<SlackUser, 'tenant'>): Promise<SlackUserLink | undefined> {
  const { rows } = await sql<SlackUserLink>`
    select l.tenant, l.subject, l.made_by as "madeBy", ${signedInAt} as "signedInAt"
    from slack_links l left join subjects s on s.tenant = l.tenant and s.subject = l.subject
    where l.team = ${team} and l.user_id = ${userId}`.execute(db);
  return rows[0];
}

async function readState(db: Database, user: SlackUser, email: string | undefined): Promise<State> {
  const link = await findLink(db, user);
  // One of another tenant is from before the workspace got this one.
  const isOwn = link?.madeBy === 'sign_in' && link.tenant === user.tenant;
  if (isOwn || email === undefined) return { link, holders: [], isKept: isOwn };
  const holders = await findHolders(db, user, email);
  const [holder] = holders;
  const isKept = holders.length === 1 && link?.tenant === user.tenant && link.subject === holder?.subject;
  return { link, holders, isKept };
}

/** Two are enough to see that an address is not clear. None after an `unlink`. */
async function findHolders(db: Database, { team, userId, tenant }: SlackUser, email: string): Promise<Holder[]> {
  const { rows } = await sql<Holder>`
    select subject, (extract(epoch from now() - email_at) / 86400)::float8 as "ageDays"
    from subjects
    where tenant = ${tenant} and email = ${email}
      and not exists (select from slack_unlinked where team = ${team} and user_id = ${userId})
    limit 2`.execute(db);
  return rows;
}

/** The subject that the address links with, where there is no link. */
function linkable({ holders }: State, maxAgeDays: number): string | undefined {
  const [holder, other] = holders;
  if (holder === undefined || other !== undefined) return undefined;
  return holder.ageDays <= maxAgeDays ? holder.subject : undefined;
}

const isSettled = (state: State, maxAgeDays: number): boolean =>
  state.isKept || (state.link?.madeBy !== 'email' && linkable(state, maxAgeDays) === undefined);

async function settle(
  trx: Database,
  user: SlackUser,
  { email, maxAgeDays }: { email: string | undefined; maxAgeDays: number },
): Promise<('made' | 'ended')[]> {
  const { team, userId, tenant } = user;
  if (email !== undefined)
    // An operator who takes the address away waits, and finds the link then.
    await sql`select 1 from subjects where tenant = ${tenant} and email = ${email} for share`.execute(trx);
  const state = await readState(trx, user, email);
  if (isSettled(state, maxAgeDays)) return [];
  const changes: ('made' | 'ended')[] = [];
  if (state.link) {
    const { rows } = await sql`
      delete from slack_links
      where team = ${team} and user_id = ${userId} and (made_by = 'email' or tenant <> ${tenant})
      returning 1`.execute(trx);
    if (rows.length > 0) {
      await leaveLinkEntry(trx, 'slack.unlink.email', { team, userId, linked: state.link });
      changes.push('ended');
    }
  }
  const subject = linkable(state, maxAgeDays);
  if (subject === undefined) return changes;
  const { rows } = await sql`
    insert into slack_links (team, user_id, tenant, subject, made_by)
    values (${team}, ${userId}, ${tenant}, ${subject}, 'email')
    on conflict do nothing returning 1`.execute(trx);
  if (rows.length === 0) return changes;
  await leaveLinkEntry(trx, 'slack.link.email', { team, userId, linked: { tenant, subject } });
  return [...changes, 'made'];
}

const resultOf = ({ link, holders, isKept }: State) => ({
  link: isKept ? link : undefined,
  isAmbiguous: !isKept && holders.length > 1,
});
