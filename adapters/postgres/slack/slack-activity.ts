import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';

/** What was received and answered last, of all workspaces and processes. Times only, no content. */
export type SlackActivity = {
  /** Keys of deliveries are kept for a day. */
  lastReceivedAt: Date | null;
  /** Stored and not processed yet. */
  waiting: number;
  waitingSince: Date | null;
  lastAnsweredAt: Date | null;
  /** Answers that do not show the end of their task yet. */
  open: number;
};

/** For operators, who see all tenants. */
export async function readSlackActivity(db: Database): Promise<SlackActivity> {
  const { rows } = await sql<SlackActivity>`
    select
      (select max(received_at) from slack_inbox) as "lastReceivedAt",
      (select count(*) from slack_inbox where completed_at is null) as waiting,
      (select min(received_at) from slack_inbox where completed_at is null) as "waitingSince",
      (select max(finished_at) from slack_posts where finished_at is not null) as "lastAnsweredAt",
      (select count(*) from slack_posts where finished_at is null) as open`.execute(db);
  return rows[0]!;
}
