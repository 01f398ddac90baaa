import { sql } from 'kysely';
import { AlfredError } from '../../../contract/errors.ts';
import type { NewTaskEvent } from '../../../contract/events.ts';
import type { TaskRef, ToolMisuse, ToolResultRef } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Ledger } from '../../../contract/ports/index.ts';
import { checkedArtifact, type CheckedArtifact } from '../../../contract/rules/artifacts.ts';
import { storeArtifacts, withRefusals } from '../artifacts/store-artifacts.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { lockContents, insertContent } from '../messages/contents.ts';
import { contentHash } from '../hashes.ts';
import { isOpenFor, reopen } from '../tasks/reopen.ts';
import { storableJson, storableText } from '../storable-json.ts';
import { shortenOutput } from '../messages/shorten-output.ts';

/** Receipts of tool calls: the intent is stored first, the result afterwards. A repeat returns the stored result. */
export const createToolCalls = (db: Database): Pick<Ledger, 'beginToolCall' | 'completeToolCall'> => ({
  async beginToolCall(task, { runId, callId, tool, step, effect = null, arguments: input }) {
    const { taskId } = task;
    const storedInput = effect === null ? null : storableJson(input);
    const isOpen = sql`ended_at is null and run_id = ${runId}`;
    const before = {
      // Locked first: the task either ends before this statement, which then writes nothing, or after it.
      open_task: sql`select id from tasks where id = ${taskId} and ${isOpen} for update`,
      intent: sql`
        insert into tool_calls (task_id, call_id, tool, step, effect, input)
        select ${taskId}, ${callId}, ${tool}, ${step}, ${effect}::text, ${storedInput}::jsonb from open_task
        on conflict do nothing returning call_id`,
    };
    const when = sql`${isOpen} and exists (select from intent)`;
    const events = [{ type: 'tool.started', data: { step, callId, tool, arguments: input } } as const];
    while (!(await appendEvents(db, task, { before, when, events }))) {
      const receipt = await findReceipt(db, taskId, { step, callId });
      if (receipt?.result) return { result: receipt.result };
      // An intent without a result: an earlier attempt died.
      if (receipt && (await isOpenFor(db, taskId, runId))) {
        if (effect !== null) await addEffect(db, taskId, { step, callId, effect, storedInput });
        return { result: undefined, sent: receipt.sent };
      }
      if (!(await reopen(db, task, { runId }))) throw new AlfredError('superseded', 'The task had ended.');
    }
    return { result: undefined, sent: false };
  },

  async completeToolCall(task, call) {
    const artifacts = (call.artifacts ?? []).map(checkedArtifact);
    if (artifacts.length === 0) return complete(db, task, call, []);
    const store = (trx: Database) => completeWithArtifacts(trx, task, call, artifacts);
    const { result, kept } = await (db.isTransaction ? store(db) : db.transaction().execute(store));
    if (kept > 0) call.onKept?.(kept);
    return result;
  },
});

type CompletedCall = Parameters<Ledger['completeToolCall']>[1];

/** A summary is one line of the stream of events. What is longer is cut, in characters. */
const maxSummary = 500;

/** @param made the events about the files of the call */
async function complete(
  db: Database,
  task: TaskRef,
  call: CompletedCall,
  made: NewTaskEvent[],
): Promise<ToolResultRef> {
  const { callId, tool, step, output, isError, misuse, durationMs, event, maxCharacters } = call;
  // The summary may quote text from outside, with characters that Postgres refuses.
  const { length } = call.summary;
  const summary = storableText(length > maxSummary ? `${call.summary.slice(0, maxSummary)}…` : call.summary);
  const shown = shortenOutput(output, callId, maxCharacters);
  const content = storableJson(shown);
  const hash = contentHash(content);
  const full = shown === output ? undefined : storableJson(output);
  const fullHash = full === undefined ? null : contentHash(full);
  const written = await appendEvents(db, task, {
    before: {
      // The lock comes before the row, as it does for a deletion.
      locked_contents: lockContents(task),
      locked: sql`
        select id from tasks where id = ${task.taskId} and (select count(*) from locked_contents) >= 0 for update`,
      completed: sql`
        update tool_calls set result_hash = ${hash}, full_hash = ${fullHash}::text, is_error = ${isError},
          misuse = ${misuse ?? null}::text, summary = ${summary}, ended_at = now()
        from locked
        where task_id = ${task.taskId} and step = ${step} and call_id = ${callId} and result_hash is null
        returning call_id`,
      // The receipt of a deleted task is gone: then nothing would lead to the contents.
      content: insertContent(task, hash, content, 'completed'),
      ...(full === undefined || fullHash === null
        ? {}
        : { full_content: insertContent(task, fullHash, full, 'completed') }),
    },
    when: sql`exists (select from completed)`,
    events: [
      ...made,
      ...(event ? [event] : []),
      { type: 'tool.completed', data: { step, callId, tool, isError, summary, durationMs } },
    ],
    silentAfterEnd: true,
  });
  if (written) return resultOf({ callId, tool, result: hash, isError, misuse });
  // An earlier attempt has stored its result.
  const receipt = await findReceipt(db, task.taskId, { step, callId });
  if (!receipt?.result)
    throw new AlfredError('superseded', `The call ${callId} of ${task.taskId} has no receipt: the task was deleted.`);
  return receipt.result;
}

/** Stores a result and its files together. The locks come in the order in which `complete` takes them. */
async function completeWithArtifacts(
  trx: Database,
  task: TaskRef,
  call: CompletedCall,
  artifacts: readonly CheckedArtifact[],
): Promise<{ result: ToolResultRef; kept: number }> {
  await lockContents(task).execute(trx);
  await sql`select from tasks where id = ${task.taskId} for update`.execute(trx);
  const receipt = await findReceipt(trx, task.taskId, call);
  // Of a deleted task, or an earlier attempt has stored its result and its files.
  if (!receipt || receipt.result) return { result: await complete(trx, task, call, []), kept: 0 };
  const { events, ...stored } = await storeArtifacts(trx, task, call, artifacts);
  const made = artifacts.map(({ name }) => name);
  const output = withRefusals(call.output, made, stored);
  const summary = `${call.summary}${notKept(stored.refused.length)}`;
  return { result: await complete(trx, task, { ...call, output, summary }, events), kept: stored.kept.length };
}

const notKept = (files: number) =>
  files === 0 ? '' : files === 1 ? ' (1 file was not kept)' : ` (${files} files were not kept)`;

/** An earlier attempt was refused, so its intent names no effect; this one acts, and an undo has to find it. */
const addEffect = (
  db: Database,
  taskId: string,
  { step, callId, effect, storedInput }: { step: number; callId: string; effect: string; storedInput: string | null },
) =>
  sql`
    update tool_calls set effect = ${effect}, input = ${storedInput}::jsonb
    where task_id = ${taskId} and step = ${step} and call_id = ${callId} and effect is null and result_hash is null`.execute(
    db,
  );

async function findReceipt(
  db: Database,
  taskId: string,
  { step, callId }: { step: number; callId: string },
): Promise<{ result: ToolResultRef | undefined; sent: boolean } | undefined> {
  const row = await db
    .selectFrom('tool_calls')
    .select(['tool', 'result_hash', 'is_error', 'misuse', 'left_at'])
    .where('task_id', '=', taskId)
    .where('step', '=', step)
    .where('call_id', '=', callId)
    .executeTakeFirst();
  if (!row) return undefined;
  const { tool, result_hash: result, is_error: isError, left_at } = row;
  if (result === null) return { result: undefined, sent: left_at !== null };
  const misuse = (row.misuse ?? undefined) as ToolMisuse | undefined;
  return { result: resultOf({ callId, tool, result, isError, misuse }), sent: false };
}

type StoredResult = Pick<ToolResultRef, 'callId' | 'tool' | 'result'> & {
  isError: boolean;
  misuse: ToolMisuse | undefined;
};

/** The result as the workflow gets it, which leaves out what is not set. */
const resultOf = ({ callId, tool, result, isError, misuse }: StoredResult): ToolResultRef => ({
  callId,
  tool,
  result,
  ...(isError ? { isError } : {}),
  ...(misuse ? { misuse } : {}),
});
