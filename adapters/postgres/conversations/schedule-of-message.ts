import { scheduleIdOf } from '../../../contract/ids.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';

/** The schedule whose run sent this message. A run's key is the message's id, and begins with the schedule's. */
export async function scheduleOf(
  db: Database,
  { tenant, subject }: Scope,
  messageId: string,
): Promise<string | undefined> {
  const scheduleId = scheduleIdOf(messageId);
  if (scheduleId === undefined) return undefined;
  const run = await db
    .selectFrom('schedule_runs as r')
    .innerJoin('schedules as s', 's.id', 'r.schedule_id')
    .select('s.id')
    .where('r.schedule_id', '=', scheduleId)
    .where('r.key', '=', messageId)
    .where('s.tenant', '=', tenant)
    .where('s.subject', '=', subject)
    .executeTakeFirst();
  return run?.id;
}
