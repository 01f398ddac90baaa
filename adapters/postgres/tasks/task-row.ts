import { sql, type RawBuilder, type Selectable } from 'kysely';
import type { ErrorCode } from '../../../contract/errors.ts';
import { addUsage } from '../../../contract/references.ts';
import { firstWords } from '../../../contract/rules/first-words.ts';
import { readThreadAbove } from '../../../contract/rules/thread-above.ts';
import { describeUnserved } from '../../../contract/rules/wait-reason.ts';
import type { Effect, Task, TaskChild, TaskInput, TaskResult, TaskStatus, TaskUsage } from '../../../contract/task.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { toArtifact, type ArtifactRow } from '../artifacts/artifact-row.ts';
import { withTasksBelow } from '../artifacts/artifacts.ts';
import type { TaskRow, TaskRowState } from '../../../contract/ports/index.ts';

type Columns = Selectable<Tables['tasks']>;

/** The columns of a task by name: a statement that returns `*` is not prepared. */
export const taskColumns = Object.keys({
  id: true,
  tenant: true,
  subject: true,
  agent: true,
  status: true,
  conversation_id: true,
  parent_id: true,
  ancestors: true,
  schedule_id: true,
  settings_version: true,
  memories: true,
  metadata: true,
  budget: true,
  idempotency_key: true,
  request_hash: true,
  input_head: true,
  model: true,
  result_hash: true,
  error_code: true,
  error_message: true,
  waiting: true,
  run_id: true,
  streaming: true,
  paid_step: true,
  roles: true,
  principal: true,
  incomplete: true,
  cancel_request: true,
  erased_at: true,
  erase_requested_at: true,
  model_calls: true,
  input_tokens: true,
  cache_read_tokens: true,
  cache_write_tokens: true,
  output_tokens: true,
  cost_usd: true,
  last_seq: true,
  priority: true,
  created_at: true,
  inserted_at: true,
  started_at: true,
  ended_at: true,
  updated_at: true,
} satisfies Record<keyof Tables['tasks'], true>) as (keyof Tables['tasks'])[];

/** Selects task rows as `toTaskRow` needs them. Not prepared: Postgres plans each list for its own filters. */
export const selectTasks = (db: Database) =>
  db
    .selectFrom('tasks as t')
    .leftJoin('contents as c', (join) =>
      join
        .onRef('c.tenant', '=', 't.tenant')
        .onRef('c.subject', '=', 't.subject')
        .onRef('c.hash', '=', 't.result_hash')
        .on('t.status', '=', 'completed'),
    )
    .selectAll('t')
    .select(sql<string | null>`convert_from(c.bytes, 'UTF8')`.as('result'))
    .select([effects.as('effects'), input.as('input'), isUnserved.as('unserved')]);

const columnsOfTask = sql.raw(taskColumns.map((column) => `t.${column}`).join(', '));

/**
 * Reads one task as `toTaskRow` needs it, with a prepared statement.
 *
 * @param condition  of the row `t`
 * @param resultHash which content is the result; default: the one the row names
 */
export async function readTask(
  db: Database,
  condition: RawBuilder<unknown>,
  resultHash: RawBuilder<string | null> = sql`case t.status when 'completed' then t.result_hash end`,
): Promise<SelectedTask | undefined> {
  const { rows } = await sql<SelectedTask>`
    select ${columnsOfTask}, convert_from(c.bytes, 'UTF8') as result, ${effects} as effects, ${input} as input,
      ${isUnserved} as unserved, ${children} as children, ${usageBelow} as "usageBelow",
      ${artifacts} as artifacts
    from tasks t left join contents c on c.tenant = t.tenant and c.subject = t.subject and c.hash = ${resultHash}
    where ${condition}`.execute(db);
  return rows[0];
}

/** Whether task `t` is queued for an agent that no worker served at the last look, some minutes ago at the most. */
const isUnserved = sql<boolean>`(t.status = 'queued' and exists (
  select from unserved_agents u where u.agent = t.agent and u.seen_at > now() - interval '5 minutes'))`;

/** What task `t` was asked: the message that its first model call ends with. Null once it was erased. */
const input = sql<TaskInput | null>`(
  select jsonb_strip_nulls(jsonb_build_object('text', m.body->'text', 'tool', m.body->'tool'))
  from messages m where m.tenant = t.tenant and m.subject = t.subject and m.hash = t.input_head)`;

/** How much of what a task was asked stands in lists, in characters. */
const askedLength = 120;

/** The status that callers see, of task `d`. */
const statusColumn = sql`case when d.status = 'completed' and d.incomplete is not null then 'incomplete' else d.status end`;

/**
 * What task `t` has changed in the world, oldest first. `left_at` is null again when a call is known to have failed,
 * and a task that has ended sends no more requests.
 */
const effects = sql<Effect[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('callId', e.call_id, 'step', e.step, 'tool', e.tool, 'summary', e.summary,
    'at', to_char(e.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'state', case
      when e.undo_state = 'undone' then 'undone'
      when e.undo_state = 'failed' then 'undo_failed'
      when e.undo_state = 'impossible' then 'cannot_be_undone'
      when e.undo_state = 'unknown' then 'unknown'
      when e.undo_state = 'begun' then 'undoing'
      when e.result_hash is null and e.left_at is null and t.ended_at is not null then 'failed'
      when e.result_hash is null then 'begun'
      when not e.is_error then 'done'
      when e.left_at is null then 'failed'
      else 'unknown' end) order by e.started_at, e.step, e.call_id), '[]')
  from tool_calls e where e.task_id = t.id and e.effect = 'write')`;

/** The tasks that task `t` has delegated itself, oldest first; null when there is none. */
const children = sql<TaskChild[] | null>`(
  select jsonb_agg(jsonb_build_object('id', d.id, 'agent', d.agent, 'status', ${statusColumn}, 'costUsd', d.cost_usd)
    order by d.created_at, d.id)
  from tasks d where d.parent_id = t.id and d.erased_at is null)`;

/** What all tasks below task `t` have used together; null when there is none. Most tasks have no child. */
const usageBelow = sql<TaskUsage | null>`(case when exists (select from tasks d where d.parent_id = t.id) then (
  select jsonb_build_object('modelCalls', sum(d.model_calls), 'inputTokens', sum(d.input_tokens),
    'cacheReadTokens', sum(d.cache_read_tokens), 'cacheWriteTokens', sum(d.cache_write_tokens),
    'outputTokens', sum(d.output_tokens), 'costUsd', sum(d.cost_usd))
  from tasks d where d.parent_id is not null and d.ancestors @> array[t.id]) end)`;

/** The files that task `t` and those below it have made, oldest first; null when there is none. */
const artifacts = sql<SelectedTask['artifacts']>`(
  select jsonb_agg(jsonb_build_object('id', a.id, 'task_id', a.task_id, 'name', a.name, 'media_type', a.media_type,
    'content_hash', a.content_hash, 'size_bytes', a.size_bytes, 'created_at', a.created_at)
    order by a.created_at, a.task_id, a.step, a.call_id, a.ordinal)
  from artifacts a where a.task_id in (${withTasksBelow}))`;

type SelectedTask = Columns & {
  result: string | null;
  effects: Effect[];
  input: TaskInput | null;
  unserved?: boolean;
  children?: TaskChild[] | null;
  usageBelow?: TaskUsage | null;
  artifacts?: ArtifactRow[] | null;
};

export function toTaskRow(selected: SelectedTask): TaskRow {
  return {
    id: selected.id,
    agent: selected.agent,
    status: statusOf(selected),
    model: selected.model,
    conversationId: selected.conversation_id,
    parentId: selected.parent_id,
    scheduleId: selected.schedule_id,
    ...(selected.settings_version === null ? {} : { settingsVersion: selected.settings_version }),
    asked: selected.input && firstWords(readThreadAbove(selected.input.text).words, askedLength),
    input: selected.input,
    metadata: selected.metadata as Task['metadata'],
    budget: selected.budget as Task['budget'],
    result: selected.result === null ? null : (JSON.parse(selected.result) as TaskResult),
    error:
      // An open row may hold that its start failed.
      selected.error_code === null || selected.ended_at === null
        ? null
        : { code: selected.error_code as ErrorCode, message: selected.error_message ?? '' },
    waiting: selected.unserved ? describeUnserved(selected.agent) : (selected.waiting as Task['waiting']),
    effects: selected.effects,
    usage: usageOf(selected),
    ...(selected.children ? { children: selected.children } : {}),
    ...(selected.usageBelow ? { usageWithChildren: sumOfUsage(usageOf(selected), selected.usageBelow) } : {}),
    ...(selected.artifacts ? { artifacts: selected.artifacts.map(toArtifact) } : {}),
    lastSeq: selected.last_seq,
    createdAt: selected.created_at.toISOString(),
    startedAt: selected.started_at?.toISOString() ?? null,
    endedAt: selected.ended_at?.toISOString() ?? null,
  };
}

/**
 * The status that callers see. An end without an answer is stored as `completed` with `incomplete`, so that the version
 * before this one reads the row as ended.
 */
export const statusOf = ({ status, incomplete }: Pick<Columns, 'status' | 'incomplete'>): TaskStatus =>
  status === 'completed' && incomplete !== null ? 'incomplete' : (status as TaskStatus);

const usageOf = (row: Columns): TaskUsage => ({
  modelCalls: row.model_calls,
  inputTokens: row.input_tokens,
  cacheReadTokens: row.cache_read_tokens,
  cacheWriteTokens: row.cache_write_tokens,
  outputTokens: row.output_tokens,
  costUsd: row.cost_usd,
});

const sumOfUsage = (a: TaskUsage, b: TaskUsage): TaskUsage => ({
  modelCalls: a.modelCalls + b.modelCalls,
  ...addUsage(a, b),
});

export const toTaskRowState = (row: Columns & { is_abandoned: boolean }): TaskRowState => ({
  taskId: row.id,
  tenant: row.tenant,
  subject: row.subject,
  agent: row.agent,
  status: statusOf(row),
  runId: row.run_id,
  insertedAt: row.inserted_at ?? row.created_at,
  updatedAt: row.updated_at,
  lastSeq: row.last_seq,
  head: row.input_head,
  priority: row.priority ?? undefined,
  isErased: row.erased_at !== null,
  isCancelled: row.cancel_request !== null || row.is_abandoned,
  isAbandoned: row.is_abandoned,
  hasFailedToStart: row.status === 'queued' && row.error_code === 'never_started',
});
