import { sql, type Selectable } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import type { ApprovalRule, Approvers } from '../../../contract/approval.ts';
import { AlfredError } from '../../../contract/errors.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { PendingApproval, TaskRef, Verdict } from '../../../contract/references.ts';
import { hashArguments } from '../../../runtime/hash.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import type {
  Approvals,
  ApprovalRow,
  RequestedApproval,
  DecisionNote,
  Run,
  ToolCallKey,
} from '../../../contract/ports/index.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { decidableBy, isNotErased, visibleTo } from './approval-rights.ts';
import { insertContent, contentHash } from '../messages/contents.ts';
import { speakFor } from '../tasks/reopen.ts';
import { storableJson } from '../storable-json.ts';

type Row = Selectable<Tables['approvals']>;
type Rule = Omit<ApprovalRule, 'tool' | 'when' | 'unlessRoles'>;

/** Calls that wait for a person: a row each, decided once, by the first. */
export const createApprovals = (db: Database): Approvals => ({
  async request(task, run, calls) {
    if (calls.length > 0) await speakFor(db, task, run);
    const asked = [];
    // One after the other: each is a statement on the task's row.
    for (const { step, callId, tool, arguments: given, rule } of calls) {
      const { approvers, fourEyes, expiresS, escalateS, escalateTo, onExpiry } = rule;
      const kept = { approvers, fourEyes, expiresS, escalateS, escalateTo, onExpiry };
      await ask(db, task, run, { step, callId, tool, arguments: given, rule: kept });
      const row = await byCall(db, task, { step, callId });
      if (!row) throw new AlfredError('superseded', 'The task had ended.');
      asked.push(standing(row));
    }
    return asked;
  },

  async escalate(task, run, id) {
    await speakFor(db, task, run);
    const row = await byId(db, id);
    const approvers = widened(row.rule as Rule);
    await appendEvents(db, task, {
      before: sql`${openTask(task, run)} escalated as (
        update approvals set escalated_at = now()
        where id = ${id} and status = 'pending' and escalated_at is null and exists (select from open_task) returning id),`,
      when: sql`exists (select from escalated)`,
      events: [{ type: 'approval.escalated', data: { ...callOf(row), approvalId: id, approvers } }],
    });
  },

  decide: (task, run, asked, { approve, by, note }) =>
    settle(db, task, run, asked, { status: approve ? 'approved' : 'denied', runs: approve, by, note }),

  async expire(task, run, asked) {
    const { onExpiry } = (await byId(db, asked.id)).rule as Rule;
    return settle(db, task, run, asked, { status: 'expired', runs: onExpiry === 'approve', by: null, note: {} });
  },

  async findVerdict(task, call) {
    const row = await byCall(db, task, call);
    if (!row?.decided_at) return undefined;
    return { ...verdictOf(row), arguments: (row.edited ?? row.arguments) as JsonValue, comment: row.comment };
  },

  async storeNote(id, note) {
    const content = storableJson(note);
    const hash = contentHash(content);
    await insertContent(await byId(db, id), hash, content).execute(db);
    return hash;
  },

  async loadNote(id, hash) {
    const { tenant, subject } = await byId(db, id);
    const row = await db
      .selectFrom('contents')
      .select('bytes')
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('hash', '=', hash)
      .executeTakeFirstOrThrow();
    return JSON.parse(row.bytes.toString()) as DecisionNote;
  },

  async get(identity, id) {
    if (!isUuid(id)) return undefined;
    const row = await db
      .selectFrom('approvals as a')
      .selectAll()
      .where('a.id', '=', id)
      .where(visibleTo(identity))
      .where(isNotErased)
      .executeTakeFirst();
    return row && approvalRowOf(row);
  },

  async list(identity, { status, mine, taskId, limit, cursor }) {
    if (cursor !== undefined && !isUuid(cursor))
      throw new AlfredError('invalid_request', 'cursor is not one that a page before returned.');
    let query = db
      .selectFrom('approvals as a')
      .selectAll()
      .where(visibleTo(identity))
      .where(isNotErased)
      .orderBy('a.id', 'desc')
      .limit(limit + 1);
    if (status === 'decided') query = query.where('a.status', '<>', 'pending');
    else if (status !== undefined) query = query.where('a.status', '=', status);
    if (mine === 'true') query = query.where('a.status', '=', 'pending').where(decidableBy(identity));
    if (taskId !== undefined) query = query.where('a.task_id', '=', taskId);
    if (cursor !== undefined) query = query.where('a.id', '<', cursor);
    const rows = await query.execute();
    const page = rows.slice(0, limit).map(approvalRowOf);
    return { approvals: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  },
});

type Asked = { step: number; callId: string; tool: string; arguments: JsonValue; rule: Rule };

/** Stores what is asked, with its event, unless it was asked before; what was withdrawn is asked anew. */
async function ask(db: Database, task: TaskRef, { runId }: Run, { step, callId, tool, arguments: given, rule }: Asked) {
  const id = newId();
  const hash = hashArguments(given);
  const { tenant, subject, agent } = task;
  const { expiresS, escalateS = null, approvers = {}, fourEyes } = rule;
  const requested: NewTaskEvent = {
    type: 'approval.requested',
    data: {
      ...{ step, callId, tool, approvalId: id, arguments: given, argumentsHash: hash, approvers, fourEyes },
      expiresAt: new Date(Date.now() + expiresS * 1_000).toISOString(),
    },
  };
  await appendEvents(db, task, {
    before: sql`${openTask(task, { runId })} asked as (
      insert into approvals as a (id, tenant, subject, task_id, agent, step, call_id, tool, arguments, arguments_hash, rule,
        escalate_at, expires_at)
      select ${id}::uuid, ${tenant}, ${subject}, id, ${agent}, ${step}::int, ${callId}, ${tool}, ${storableJson(given)}::jsonb, ${hash},
        ${JSON.stringify(rule)}::jsonb, now() + ${escalateS}::float8 * interval '1 s', now() + ${expiresS}::float8 * interval '1 s'
      from open_task
      on conflict (task_id, step, call_id) do update set id = excluded.id, status = 'pending', requested_at = now(),
        escalate_at = excluded.escalate_at, escalated_at = null, expires_at = excluded.expires_at
        where a.status = 'withdrawn'
      returning a.id),`,
    when: sql`ended_at is null and run_id = ${runId} and exists (select from asked)`,
    events: [requested],
  });
}

type Outcome = { status: Verdict['status']; runs: boolean; by: string | null; note: DecisionNote };

/** Decides once, with the event, in one statement. @returns what counts: this decision, or the one before it */
async function settle(
  db: Database,
  task: TaskRef,
  { runId }: Run,
  { id, argumentsHash }: RequestedApproval,
  { status, runs, by, note }: Outcome,
): Promise<Verdict> {
  await speakFor(db, task, { runId });
  const row = await byId(db, id);
  const edited = note.edit === undefined ? null : (JSON.parse(storableJson(note.edit)) as JsonValue);
  const hash = runs ? (edited === null ? argumentsHash : hashArguments(edited)) : null;
  const comment = note.comment ?? null;
  const data = { ...callOf(row), approvalId: id, decision: status, runs, by, comment, argumentsHash: hash, edited };
  const won = await appendEvents(db, task, {
    before: sql`${openTask(task, { runId })} decided as (
      update approvals set status = ${status}, decided_at = now(), decided_by = ${by}::text, comment = ${comment}::text,
        edited = ${edited === null ? null : JSON.stringify(edited)}::jsonb, decided_hash = ${hash}::text
      where id = ${id} and status = 'pending' and exists (select from open_task) returning id),`,
    when: sql`exists (select from decided)`,
    events: [{ type: 'approval.decided', data }],
  });
  const now = await byId(db, id);
  if (!now.decided_at) throw new AlfredError('task_ended', 'The task ended before this was decided.');
  return won ? { ...verdictOf(now), argumentsHash: hash } : verdictOf(now);
}

/** The task while it goes on for this run, locked before its approvals, as its end locks them. */
const openTask = ({ taskId }: TaskRef, { runId }: Run) => sql`open_task as (
  select id from tasks where id = ${taskId} and ended_at is null and run_id = ${runId} for update),`;

const byId = (db: Database, id: string) =>
  db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

const byCall = (db: Database, { taskId }: TaskRef, { step, callId }: ToolCallKey) =>
  db
    .selectFrom('approvals')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('step', '=', step)
    .where('call_id', '=', callId)
    .executeTakeFirst();

const callOf = ({ step, call_id: callId, tool }: Row) => ({ step, callId, tool });

const widened = ({ approvers, escalateTo }: Pick<Rule, 'approvers' | 'escalateTo'>): Approvers => ({
  subjects: [...(approvers?.subjects ?? []), ...(escalateTo?.subjects ?? [])],
  roles: [...(approvers?.roles ?? []), ...(escalateTo?.roles ?? [])],
});

function standing(row: Row): { pending: PendingApproval } | { verdict: Verdict } {
  if (row.decided_at) return { verdict: verdictOf(row) };
  const { approvers = {}, fourEyes, expiresS, escalateS, escalateTo } = row.rule as Rule;
  const { id, call_id: callId, tool, arguments_hash: argumentsHash, subject: requester } = row;
  return {
    pending: { id, callId, tool, argumentsHash, requester, approvers, fourEyes, expiresS, escalateS, escalateTo },
  };
}

const verdictOf = (row: Row): Verdict => ({
  id: row.id,
  callId: row.call_id,
  status: row.status as Verdict['status'],
  runs: row.decided_hash !== null,
  by: row.decided_by,
  at: row.decided_at?.toISOString() ?? '',
  argumentsHash: row.decided_hash,
});

function approvalRowOf(row: Row): ApprovalRow {
  const rule = row.rule as Rule;
  return {
    id: row.id,
    taskId: row.task_id,
    agent: row.agent,
    tool: row.tool,
    callId: row.call_id,
    requestedBy: row.subject,
    arguments: row.arguments as JsonValue,
    argumentsHash: row.arguments_hash,
    status: row.status as ApprovalRow['status'],
    approvers: row.escalated_at ? widened(rule) : (rule.approvers ?? {}),
    fourEyes: rule.fourEyes,
    onExpiry: rule.onExpiry,
    requestedAt: row.requested_at.toISOString(),
    escalatesAt: row.escalate_at?.toISOString() ?? null,
    escalatedAt: row.escalated_at?.toISOString() ?? null,
    expiresAt: row.expires_at.toISOString(),
    decision: row.decided_at && {
      runs: row.decided_hash !== null,
      by: row.decided_by,
      at: row.decided_at.toISOString(),
      comment: row.comment,
      edited: row.edited as JsonValue,
      argumentsHash: row.decided_hash,
    },
  };
}
