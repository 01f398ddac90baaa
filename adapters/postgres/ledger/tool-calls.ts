import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { ToolMisuse, ToolResultRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Ledger } from '../../../contract/ports/index.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { referenceOf, insertContent } from '../messages/contents.ts';
import { isOpenFor, reopen } from '../tasks/reopen.ts';
import { storableJson, storableText } from '../storable-json.ts';
import { referenceTo } from '../messages/tool-result.ts';

/** Tool calls under receipts: intent first, result after; a repeat returns the result. */
export const createToolCalls = (db: Database): Pick<Ledger, 'beginToolCall' | 'completeToolCall'> => ({
  async beginToolCall(task, { runId, callId, tool, step, effect = null, arguments: input }) {
    const { taskId } = task;
    const kept = effect === null ? null : storableJson(input);
    const isOpen = sql`ended_at is null and run_id = ${runId}`;
    // The row is locked first: its end, which may come just now, counts here or not at all.
    const before = sql`open_task as (select id from tasks where id = ${taskId} and ${isOpen} for update), intent as (
      insert into tool_calls (task_id, call_id, tool, step, effect, input)
      select ${taskId}, ${callId}, ${tool}, ${step}, ${effect}::text, ${kept}::jsonb from open_task
      on conflict do nothing returning call_id),`;
    const when = sql`${isOpen} and exists (select from intent)`;
    const events = [{ type: 'tool.started', data: { step, callId, tool, arguments: input } } as const];
    while (!(await appendEvents(db, task, { before, when, events }))) {
      const receipt = await receiptOf(db, taskId, { step, callId });
      if (receipt?.result) return { result: receipt.result };
      // An intent without a result: the attempt before this one died.
      if (receipt && (await isOpenFor(db, taskId, runId))) return { result: undefined, sent: receipt.left };
      if (!(await reopen(db, task, { runId }))) throw new AlfredError('superseded', 'The task had ended.');
    }
    return { result: undefined, sent: false };
  },

  async completeToolCall(task, { callId, tool, step, output, isError, misuse, durationMs, maxCharacters, ...told }) {
    // Others wrote it, and Postgres does not take everything: a receipt must not fail for its words.
    const summary = storableText(told.summary);
    const shown = referenceTo(output, callId, maxCharacters);
    const content = storableJson(shown);
    const hash = referenceOf(content);
    const full = shown === output ? undefined : storableJson(output);
    const fullHash = full === undefined ? null : referenceOf(full);
    const contents =
      full === undefined || fullHash === null
        ? sql`content as (${insertContent(task, hash, content)}),`
        : sql`content as (${insertContent(task, hash, content)}), whole as (${insertContent(task, fullHash, full)}),`;
    const settled = sql`${contents} settled as (
      update tool_calls set result_hash = ${hash}, full_hash = ${fullHash}::text, is_error = ${isError},
        misuse = ${misuse ?? null}::text, summary = ${summary}, ended_at = now()
      where task_id = ${task.taskId} and step = ${step} and call_id = ${callId} and result_hash is null returning call_id),`;
    const completed = { type: 'tool.completed', data: { step, callId, tool, isError, summary, durationMs } } as const;
    await appendEvents(db, task, {
      before: settled,
      when: sql`exists (select from settled)`,
      events: [completed],
      silentAfterEnd: true,
    });
    const receipt = await receiptOf(db, task.taskId, { step, callId });
    if (!receipt?.result) throw new Error(`the call ${callId} of ${task.taskId} has no receipt`);
    return receipt.result;
  },
});

async function receiptOf(
  db: Database,
  taskId: string,
  { step, callId }: { step: number; callId: string },
): Promise<{ result: ToolResultRef | undefined; left: boolean } | undefined> {
  const row = await db
    .selectFrom('tool_calls')
    .select(['tool', 'result_hash', 'is_error', 'misuse', 'left_at'])
    .where('task_id', '=', taskId)
    .where('step', '=', step)
    .where('call_id', '=', callId)
    .executeTakeFirst();
  if (!row) return undefined;
  const { tool, result_hash: result, is_error: isError, misuse, left_at } = row;
  if (result === null) return { result: undefined, left: left_at !== null };
  const told = { ...(isError ? { isError } : {}), ...(misuse ? { misuse: misuse as ToolMisuse } : {}) };
  return { result: { callId, tool, result, ...told }, left: false };
}
