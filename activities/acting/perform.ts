import { activityInfo } from '@temporalio/activity';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { TaskRef } from '../../contract/references.ts';
import { currentRun } from '../current-run.ts';
import type { Effects, Tool, ToolCallKey, ToolOutcome } from '../../contract/ports/index.ts';

type Perform = {
  task: TaskRef;
  call: ToolCallKey;
  tool: Tool;
  input: JsonValue;
  /** An attempt before this one left, and no answer came. */
  left: boolean;
  signal: AbortSignal;
};

/**
 * Runs a tool; one that changes the world leaves at most once. When an attempt before this one left without an answer, the
 * tool is asked what became of it, or runs again where the receiver tells repeats apart.
 *
 * @throws AlfredError `effect_unknown` when nobody can tell whether it took effect, and whatever the tool throws
 */
export async function perform(
  effects: Effects,
  { task, call, tool, input, left, signal }: Perform,
): Promise<ToolOutcome> {
  const run = currentRun();
  const context = {
    scope: { tenant: task.tenant, subject: task.subject },
    taskId: task.taskId,
    receiptKey: `${task.taskId}/${call.step}/${call.callId}`,
    signal,
    leaving: () => (tool.effect ? effects.leave(task, run, call, left) : Promise.resolve()),
  };
  if (left && tool.reconcile) {
    const found = await tool.reconcile(input, context);
    if (found.state === 'done') return { output: found.output, summary: found.summary };
    if (found.state === 'unknown') throw unknown(tool);
    await effects.comeBack(task, call, 'call');
  } else if (left && !tool.repeatable) throw unknown(tool);
  try {
    return await tool.run(input, context);
  } catch (error) {
    // What failed for certain has changed nothing, unless it repeats something that may have.
    const isCertain = error instanceof AlfredError && error.code !== 'effect_unknown' && error.code !== 'superseded';
    if (tool.effect && isCertain && !(left && tool.repeatable) && !signal.aborted)
      await effects.comeBack(task, call, 'call');
    throw error;
  }
}

const unknown = ({ name }: Tool) =>
  new AlfredError(
    'effect_unknown',
    `A call of ${name} left, and no answer came: it may or may not have taken effect. It was not repeated.`,
    { failures: Infinity },
  );

/** Whether an error is the last word about this activity. */
export const isFinal = (error: AlfredError) => (error.failures ?? activityInfo().attempt) >= maxAttemptsOf(error.code);
