import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { ApprovalListQuery } from '../../../contract/approval.ts';
import { AlfredError } from '../../../contract/errors.ts';
import { keptPrincipalOf, type Principal } from '../../../contract/principal.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Approvals, DecisionNote, Run } from '../../../contract/ports/index.ts';
import type { TaskRef } from '../../../contract/references.ts';
import { contentHash } from '../hashes.ts';
import { insertContent, lockContents } from '../messages/contents.ts';
import { storableJson } from '../storable-json.ts';
import { withQueries } from '../with-queries.ts';
import { adoptRun } from '../tasks/reopen.ts';
import { requireCursor } from '../require-cursor.ts';
import { appendApprovalEvent } from './append-approval-event.ts';
import { decidableBy, isNotErased, visibleTo } from './approval-rights.ts';
import {
  toApprovalRow,
  callOf,
  escalatedApprovers,
  findApprovalOfCall,
  readApproval,
  requestStateOf,
  verdictOf,
  type StoredRule,
} from './approval-row.ts';
import { decideApproval, refuseSamePerson, selectOpenTask } from './decide-approval.ts';
import { requestApproval, withdrawOthers } from './request-approval.ts';

/** Calls that wait for a person: one row a call, decided once. */
export const createApprovals = (db: Database): Approvals => ({
  request: (task, run, calls) => requestAll(db, task, run, calls),

  async escalate(task, run, id) {
    await adoptRun(db, task, run);
    const row = await readApproval(db, id);
    const approvers = escalatedApprovers(row.rule as StoredRule);
    await appendApprovalEvent(db, task, {
      before: {
        open_task: selectOpenTask(task, run),
        escalated: sql`
          update approvals set escalated_at = now()
          where id = ${id} and status = 'pending' and escalated_at is null and exists (select from open_task)
          returning id`,
      },
      when: sql`exists (select from escalated)`,
      event: { type: 'approval.escalated', data: { ...callOf(row), approvalId: id, approvers } },
    });
  },

  async decide(task, run, approval, { approve, by, note }) {
    await refuseSamePerson(db, approval.id, by);
    const status = approve ? 'approved' : 'denied';
    return decideApproval(db, { task, run, approval, status, runs: approve, by, note });
  },

  async expire(task, run, approval) {
    const { onExpiry } = (await readApproval(db, approval.id)).rule as StoredRule;
    const runs = onExpiry === 'approve';
    return decideApproval(db, { task, run, approval, status: 'expired', runs, by: null, note: {} });
  },

  async findVerdict(task, call) {
    const row = await findApprovalOfCall(db, task, call);
    if (!row?.decided_at) return undefined;
    return { ...verdictOf(row), arguments: (row.edited ?? row.arguments) as JsonValue, comment: row.comment };
  },

  async storeDecision(principal, id, note) {
    await sql`
      update approvals set deciders = deciders || ${JSON.stringify({ [principal.subject]: keptPrincipalOf(principal) })}::jsonb
      where id = ${id} and status = 'pending'`.execute(db);
    if (note.comment === undefined && note.edit === undefined) return undefined;
    const content = storableJson(note);
    const hash = contentHash(content);
    const scope = await readApproval(db, id);
    // The approval names each of its notes, so that they are removed with its task. When that has happened already,
    // nothing is stored.
    await sql`
      ${withQueries({
        // The lock comes before the row, as it does for a deletion.
        locked: lockContents(scope),
        approval: sql`
          update approvals set note_hashes = array_append(note_hashes, ${hash}) from locked
          where id = ${id} and ${hash} <> all(note_hashes) returning id`,
        content: insertContent(scope, hash, content, 'approval'),
      })} select`.execute(db);
    return hash;
  },

  async loadNote(id, hash) {
    const { tenant, subject } = await readApproval(db, id);
    const row = await db
      .selectFrom('contents')
      .select('bytes')
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('hash', '=', hash)
      .executeTakeFirstOrThrow();
    return JSON.parse(row.bytes.toString()) as DecisionNote;
  },

  async get(principal, id) {
    if (!isUuid(id)) return undefined;
    const row = await db
      .selectFrom('approvals as a')
      .selectAll()
      .where('a.id', '=', id)
      .where(visibleTo(principal))
      .where(isNotErased)
      .executeTakeFirst();
    return row && toApprovalRow(row);
  },

  list: (principal, query) => listApprovals(db, principal, query),
});

async function requestAll(db: Database, task: TaskRef, run: Run, calls: Parameters<Approvals['request']>[2]) {
  if (calls.length === 0) return [];
  await adoptRun(db, task, run);
  await withdrawOthers(db, task, run, calls);
  const states = [];
  // One after the other, because each statement locks the task's row.
  for (const { step, callId, tool, arguments: args, rule } of calls) {
    const { approvers, fourEyes, expiresS, escalateS, escalateTo, onExpiry } = rule;
    const storedRule = { approvers, fourEyes, expiresS, escalateS, escalateTo, onExpiry };
    await requestApproval(db, task, run, { step, callId, tool, arguments: args, rule: storedRule });
    const row = await findApprovalOfCall(db, task, { step, callId });
    if (!row) throw new AlfredError('superseded', 'The task had ended.');
    states.push(requestStateOf(row));
  }
  return states;
}

async function listApprovals(
  db: Database,
  principal: Principal,
  { status, mine, taskId, limit, cursor }: ApprovalListQuery,
) {
  requireCursor(cursor);
  let query = db
    .selectFrom('approvals as a')
    .selectAll()
    .where(visibleTo(principal))
    .where(isNotErased)
    .orderBy('a.id', 'desc')
    .limit(limit + 1);
  if (status === 'decided') query = query.where('a.status', '<>', 'pending');
  else if (status !== undefined) query = query.where('a.status', '=', status);
  if (mine === 'true') query = query.where('a.status', '=', 'pending').where(decidableBy(principal));
  if (taskId !== undefined) query = query.where('a.task_id', '=', taskId);
  if (cursor !== undefined) query = query.where('a.id', '<', cursor);
  const rows = await query.execute();
  const page = rows.slice(0, limit).map(toApprovalRow);
  return { approvals: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
