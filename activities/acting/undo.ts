import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { TaskRef } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { alfredErrorOf } from '../errors.ts';
import { withHeartbeat } from '../activity-context.ts';
import { isFinal } from './run-effect.ts';
import type { Effects, Tool, ToolCallKey, ToolContext, UndoableCall, UndoState } from '../../contract/ports/index.ts';
import { toolNamed } from './tool-named.ts';

export type UndoDeps = { tools: Record<string, Tool>; effects: Effects; metrics: Metrics };

type Outcome = { state: UndoState; summary: string };

/** What a cancelled task takes back. */
export const createUndoActivities = ({ tools, effects, metrics }: UndoDeps) => ({
  /** What a task that was cancelled shall undo, newest first. */
  cancellationOf: ({ task }: { task: TaskRef }): Promise<{ undo: ToolCallKey[] }> => effects.planUndo(task),

  /** Takes back one effect, under a receipt of its own; what cannot be undone is said. */
  undoCall: ({ task, call }: { task: TaskRef; call: ToolCallKey }): Promise<void> =>
    withHeartbeat(async (signal) => {
      const undo = await effects.beginUndo(task, call);
      if (!undo) return;
      const tool = toolNamed(tools, undo.tool);
      const context: ToolContext = {
        scope: { tenant: task.tenant, subject: task.subject },
        taskId: task.taskId,
        receiptKey: `${task.taskId}/${call.step}/${call.callId}/undo`,
        signal,
        beforeSend: () => effects.claimUndoSend(task, call, undo.sent),
      };
      const outcome = await takeBack(tool, undo, context).catch(async (error: unknown): Promise<Outcome> => {
        const failure = alfredErrorOf(error);
        if (signal.aborted || failure.code === 'superseded') throw error;
        if (failure.code === 'effect_unknown') return unknown(undo.tool);
        // What failed for certain has changed nothing; of anything else nobody knows.
        if (error instanceof AlfredError) await effects.recordNoEffect(task, call, 'undo');
        if (!isFinal(failure)) throw error;
        return { state: 'failed', summary: failure.message };
      });
      await effects.completeUndo(task, call, outcome);
      metrics.effectsUndone.inc({ tool: undo.tool, state: outcome.state });
    }),

  /** What is said of an undo whose attempts all ended without a word. */
  giveUpUndo: ({ task, call }: { task: TaskRef; call: ToolCallKey }): Promise<void> =>
    effects.completeUndo(task, call, { state: 'failed', summary: 'It could not be undone after several attempts.' }),
});

async function takeBack(
  tool: Tool | undefined,
  { input, output, sent: left, ...undo }: UndoableCall,
  context: ToolContext,
): Promise<Outcome> {
  if (!tool?.undo) return { state: 'impossible', summary: `A call of ${undo.tool} cannot be undone.` };
  if (left && !tool.repeatable) return unknown(undo.tool);
  const done = output === undefined ? await whatItDid(tool, input, context) : { output };
  if (done === 'nothing') return { state: 'undone', summary: 'It had not taken effect.' };
  if (done === 'unknown') return unknown(undo.tool);
  return { state: 'undone', ...(await tool.undo(input, done.output, context)) };
}

async function whatItDid(tool: Tool, input: JsonValue, context: ToolContext) {
  const call = { ...context, receiptKey: context.receiptKey.replace(/\/undo$/, '') };
  const found = (await tool.reconcile?.(input, call)) ?? { state: 'unknown' as const };
  if (found.state === 'done') return { output: found.output };
  return found.state === 'not_done' ? 'nothing' : 'unknown';
}

const unknown = (tool: string): Outcome => ({
  state: 'unknown',
  summary: `It is not known whether the call of ${tool} took effect, or was undone.`,
});
