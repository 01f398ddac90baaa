import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import { AlfredError } from '../../../contract/errors.ts';
import type { Reach, Scope } from '../../../contract/references.ts';
import { taskMetadata } from '../../../contract/rules/metadata.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { TaskRow, Tasks, TaskRowState } from '../../../contract/ports/index.ts';
import { hasReader, sharedIds } from '../sharing/shared-rows.ts';
import { rolesLeft } from '../../../contract/roles.ts';
import { createCurrentRights } from '../identity/current-rights.ts';
import { requireCursor } from '../require-cursor.ts';
import { isAbandoned } from './is-abandoned.ts';
import { readTask, selectTasks, toTaskRow, toTaskRowState } from './task-row.ts';

type TaskReads = Pick<Tasks, 'get' | 'list' | 'isOpen' | 'getCurrentRoles' | 'listStates'>;

export const createTaskReads = (db: Database): TaskReads => ({
  async get(reach, taskId) {
    if (!isUuid(taskId)) return undefined;
    const { tenant, subject, of } = reach;
    const isOwn = of === 'tenant' ? sql`true` : sql`t.subject = ${subject}`;
    const row = await readTask(db, sql`t.id = ${taskId} and t.tenant = ${tenant} and ${isOwn} and t.erased_at is null`);
    return row && visibleRow(row, reach);
  },

  async list(reach, { agent, status, conversationId, parent, createdAfter, createdBefore, shared, limit, cursor }) {
    requireCursor(cursor);
    // Of others it does not say which conversation a task belongs to, and a filter would.
    if (reach.of === 'tenant' && conversationId !== undefined)
      throw new AlfredError(
        'invalid_request',
        'conversationId is for your own tasks and shared ones: leave out of=tenant.',
      );
    const visible = shared ? selectSharedTasks(db, reach, parent) : selectVisibleTasks(db, reach);
    let query = visible.orderBy('t.id', 'desc').limit(limit + 1);
    query = parent === undefined ? query.where('t.parent_id', 'is', null) : query.where('t.parent_id', '=', parent);
    if (agent !== undefined) query = query.where('t.agent', '=', agent);
    if (status === 'completed' || status === 'incomplete')
      query = query
        .where('t.status', '=', 'completed')
        .where('t.incomplete', status === 'incomplete' ? 'is not' : 'is', null);
    else if (status !== undefined) query = query.where('t.status', '=', status);
    if (conversationId !== undefined) query = query.where('t.conversation_id', '=', conversationId);
    // As `createdAt` shows it: a message's task has the time of its message, and is listed when its turn has begun.
    if (createdAfter !== undefined) query = query.where('t.created_at', '>', new Date(createdAfter));
    // An id begins with the time at which it was made, so this time is a bound of the index that orders the list.
    if (createdBefore !== undefined)
      query = query.where('t.id', '<', firstIdAt(Date.parse(createdBefore) + clockSkewMs));
    if (createdBefore !== undefined) query = query.where('t.created_at', '<', new Date(createdBefore));
    if (cursor !== undefined) query = query.where('t.id', '<', cursor);
    const rows = await query.execute();
    const page = rows
      .slice(0, limit)
      .map((row) => withoutInput(shared ? { ...toTaskRow(row), owner: row.subject } : visibleRow(row, reach)));
    return { tasks: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },

  async isOpen({ tenant, subject }, taskId) {
    if (!isUuid(taskId)) return false;
    const row = await db
      .selectFrom('tasks')
      .select('id')
      .where('id', '=', taskId)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('ended_at', 'is', null)
      .where('erased_at', 'is', null)
      .executeTakeFirst();
    return row !== undefined;
  },

  async getCurrentRoles(task) {
    const [kept, current] = await Promise.all([keptRoles(db, task.taskId), createCurrentRights(db).rolesOf(task)]);
    return current ? rolesLeft(kept, current) : kept;
  },

  listStates: (taskIds) => listTaskStates(db, taskIds),
});

async function keptRoles(db: Database, taskId: string): Promise<string[]> {
  const row = await db.selectFrom('tasks').select('roles').where('id', '=', taskId).executeTakeFirst();
  return row?.roles ?? [];
}

/** How far the clocks of the processes that make ids and of Postgres, which stores times, may be apart. */
export const clockSkewMs = 10 * 60_000;

/** The least UUIDv7 of a moment. */
export function firstIdAt(ms: number): string {
  const time = Math.min(Math.max(0, ms), 0xffff_ffff_ffff).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/** A page of long inputs would be megabytes; `asked` says what each is about. */
const withoutInput = ({ input: _input, ...row }: TaskRow): TaskRow => row;

/** The tasks within reach, unless their content was deleted. */
export function selectVisibleTasks(db: Database, { tenant, subject, of }: Reach) {
  const ofTenant = selectTasks(db).where('t.tenant', '=', tenant).where('t.erased_at', 'is', null);
  return of === 'tenant' ? ofTenant : ofTenant.where('t.subject', '=', subject);
}

/** A task as the subject may see it: its own whole, any other without what is in it. */
const visibleRow = (row: Parameters<typeof toTaskRow>[0], { subject }: Scope): TaskRow =>
  row.subject === subject ? toTaskRow(row) : taskMetadata(toTaskRow(row), row.subject);

/** The tasks of others that are shared with a subject. What a task has delegated is shared with it. */
const selectSharedTasks = (db: Database, scope: Scope, parent: string | undefined) =>
  selectTasks(db)
    .where('t.tenant', '=', scope.tenant)
    .where('t.subject', '<>', scope.subject)
    .where('t.erased_at', 'is', null)
    .where(parent === undefined ? sql<boolean>`t.id in (${sharedIds.tasks(scope)})` : hasReader.task(scope));

/** Rows of these tasks, over all tenants. */
export async function listTaskStates(db: Database, taskIds: string[]): Promise<TaskRowState[]> {
  const ids = taskIds.filter((id) => isUuid(id));
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('tasks as t')
    .selectAll()
    .select(isAbandoned.as('is_abandoned'))
    .where(sql<boolean>`t.id = any(${ids}::uuid[])`)
    .execute();
  return rows.map(toTaskRowState);
}
