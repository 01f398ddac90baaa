import { sql } from 'kysely';
import { defaultMessageOf, type ErrorCode } from '../../../contract/errors.ts';
import type { ScheduleAction } from '../../../contract/schedule.ts';
import { isEnded } from '../../../contract/task-status.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { CurrentRights, RunEnd, Schedules } from '../../../contract/ports/index.ts';
import type { KeptPrincipal } from '../../../contract/principal.ts';
import { rolesLeft } from '../../../contract/roles.ts';
import { createCurrentRights } from '../identity/current-rights.ts';
import { statusOf } from '../tasks/task-row.ts';

/** The states of messages that no task will answer. */
const unanswered = ['passed_over', 'rolled_back', 'dropped'];

/** Runs of schedules: what to do, what was started, and how it ended. */
export const createScheduleRuns = (
  db: Database,
  rights: CurrentRights = createCurrentRights(db),
): Pick<Schedules, 'loadRun' | 'recordRun' | 'findRunEnd'> => ({
  async loadRun({ tenant, subject, scheduleId, key }) {
    const row = await db
      .selectFrom('schedules as s')
      .leftJoin('schedule_runs as r', (join) => join.onRef('r.schedule_id', '=', 's.id').on('r.key', '=', key))
      // A task that answers a message is left out: its conversation starts it.
      .leftJoin('tasks as t', (join) => join.onRef('t.id', '=', 'r.task_id').on('r.message_id', 'is', null))
      .select(['s.roles', 's.principal', 's.action', 't.id', 't.agent', 't.input_head'])
      .where('s.id', '=', scheduleId)
      .where('s.tenant', '=', tenant)
      .where('s.subject', '=', subject)
      .where('s.deleted_at', 'is', null)
      .executeTakeFirst();
    if (!row) return undefined;
    const { roles, action, id, agent, input_head: head } = row;
    const kept = row.principal as KeptPrincipal | null;
    const current = await rights.rolesOf({ tenant, subject });
    return {
      principal: {
        // From the version before, which kept roles only.
        kind: 'person',
        scopes: [],
        via: 'local',
        ...kept,
        tenant,
        subject,
        roles: current ? rolesLeft(roles, current) : roles,
        groups: [],
      },
      action: action as ScheduleAction,
      task: id && agent && head !== null ? { tenant, subject, taskId: id, agent, head } : undefined,
    };
  },

  async recordRun({ tenant, subject, scheduleId, key }, { taskId, conversationId, messageId, error }) {
    // A repeat has the same to say, and is no second entry.
    await sql`
      with known as (
        select task_id, error_code from schedule_runs where schedule_id = ${scheduleId} and key = ${key}
      ), run as (
      insert into schedule_runs as r
        (schedule_id, key, task_id, conversation_id, message_id, error_code, error_message, slack_channel)
      select id, ${key}, ${taskId ?? null}::uuid, ${conversationId ?? null}, ${messageId ?? null},
        ${error?.code ?? null}, ${error?.message ?? null}, action #>> '{notify,slack,channel}'
      from schedules where id = ${scheduleId} and tenant = ${tenant} and subject = ${subject}
      on conflict (schedule_id, key) do update set
        task_id = coalesce(excluded.task_id, r.task_id),
        conversation_id = coalesce(excluded.conversation_id, r.conversation_id),
        message_id = coalesce(excluded.message_id, r.message_id),
        error_code = excluded.error_code,
        error_message = excluded.error_message
      returning task_id, error_code
      )
      insert into audit_pending
        (tenant, subject, via, action, resource_type, resource_id, outcome, code, client)
      select ${tenant}::text, ${subject}::text, 'schedule',
        case when run.error_code is null then 'task.start' else 'schedule.run' end,
        case when run.error_code is null then 'task' else 'schedule' end,
        case when run.error_code is null then run.task_id::text else ${scheduleId}::text end,
        case when run.error_code is null then 'ok' else 'failed' end, run.error_code, ${`schedule ${scheduleId}`}::text
      from run left join known on true
      where case when run.error_code is null then run.task_id is not null and known.task_id is null
        else known.error_code is null end`.execute(db);
  },

  async findRunEnd({ tenant, subject, scheduleId, key }) {
    const row = await db
      .selectFrom('schedule_runs as r')
      .innerJoin('schedules as s', 's.id', 'r.schedule_id')
      .leftJoin('tasks as t', 't.id', 'r.task_id')
      .leftJoin('conversation_messages as m', (join) =>
        join.onRef('m.conversation_id', '=', 'r.conversation_id').onRef('m.id', '=', 'r.message_id'),
      )
      .select(['t.status', 't.incomplete', 't.error_code', 't.error_message', 'm.state', 'r.task_id', 'r.message_id'])
      .where('r.schedule_id', '=', scheduleId)
      .where('r.key', '=', key)
      .where('s.tenant', '=', tenant)
      .where('s.subject', '=', subject)
      .executeTakeFirst();
    if (!row) return undefined;
    // The message and its task were deleted with their conversation.
    const isDeleted = row.message_id !== null && row.task_id !== null && row.state === null && row.status === null;
    if (isDeleted) return { status: 'cancelled' };
    return (
      taskEndOf(row as TaskColumns) ?? (unanswered.includes(row.state ?? '') ? { status: 'cancelled' } : undefined)
    );
  },
});

type TaskColumns = {
  status: string | null;
  incomplete: string | null;
  error_code: ErrorCode | null;
  error_message: string | null;
};

function taskEndOf({ status: stored, incomplete, error_code, error_message }: TaskColumns): RunEnd | undefined {
  const status = stored === null ? undefined : statusOf({ status: stored, incomplete });
  if (!status || !isEnded(status)) return undefined;
  if (status !== 'failed') return { status };
  const code = error_code ?? 'internal';
  return { status, error: { code, message: error_message ?? defaultMessageOf(code) } };
}
