import { sql, type Selectable } from 'kysely';
import type { ScheduleAction, ScheduleRun, ScheduleTiming } from '../../../contract/schedule.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import type { ScheduleRow } from '../../../contract/ports/index.ts';

/** The number of runs that a schedule lists. */
const shownRuns = 10;

const recentRuns = sql<ScheduleRun[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('taskId', r.task_id, 'conversationId', r.conversation_id,
    'messageId', r.message_id, 'at', to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'error', case when r.error_code is not null
      then jsonb_build_object('code', r.error_code, 'message', r.error_message) end)
    order by r.started_at desc, r.key desc), '[]')
  from (select * from schedule_runs where schedule_id = s.id order by started_at desc, key desc limit ${shownRuns}) r)`;

/** A task that runs is looked for among so many newest runs. A schedule may have had any number since it was made. */
const countedRuns = 100;

const runningCount = sql<number>`(
  select count(*)::int
  from (select task_id from schedule_runs where schedule_id = s.id order by started_at desc limit ${countedRuns}) r
  join tasks t on t.id = r.task_id where t.ended_at is null)`;

/** Selects schedules that are not deleted, with their last runs, as `toScheduleRow` needs them. */
export const selectSchedules = (db: Database) =>
  db
    .selectFrom('schedules as s')
    .selectAll('s')
    .select([recentRuns.as('recent_runs'), runningCount.as('running')])
    .where('s.deleted_at', 'is', null);

export const toScheduleRow = (
  selected: Selectable<Tables['schedules']> & { recent_runs: ScheduleRun[]; running: number },
): ScheduleRow => ({
  id: selected.id,
  tenant: selected.tenant,
  subject: selected.subject,
  name: selected.name,
  timing: selected.timing as ScheduleTiming,
  action: selected.action as ScheduleAction,
  paused: selected.paused,
  note: selected.note,
  recentRuns: selected.recent_runs,
  running: selected.running,
  createdAt: selected.created_at.toISOString(),
  updatedAt: selected.updated_at.toISOString(),
});
