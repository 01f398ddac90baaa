import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { TaskRef } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { untilStored } from '../until-stored.ts';
import { findTool, isFinal, toAlfredError, withHeartbeat } from '../activity-context.ts';
import { guardWorker, type LostWorkerDeps } from './lost-workers.ts';
import type { Effects, Tool, ToolCallKey, ToolContext, UndoableCall, UndoState } from '../../contract/ports/index.ts';

export type UndoDeps = LostWorkerDeps & { tools: Record<string, Tool>; effects: Effects; metrics: Metrics };

type UndoOutcome = { state: UndoState; summary: string };

/** Undo of what a cancelled or ended task has changed. */
export const createUndoActivities = ({ tools, effects, metrics, ...deps }: UndoDeps) => ({
  /** The calls that a cancelled task must undo, newest first, and the ended tasks below it with calls to undo. */
  cancellationOf: ({ task }: { task: TaskRef }): Promise<{ undo: ToolCallKey[]; delegated?: TaskRef[] }> =>
    effects.planUndo(task),

  /** The calls of an ended task whose undo a person asked for, newest first. */
  begunUndos: async ({ task }: { task: TaskRef }): Promise<{ undo: ToolCallKey[] }> => ({
    undo: await effects.listBegunUndos(task),
  }),

  /** Undoes one call, under a receipt of its own, and records the outcome. */
  undoCall: ({ task, call }: { task: TaskRef; call: ToolCallKey }): Promise<void> =>
    withHeartbeat(async (signal) => {
      const undoable = await effects.beginUndo(task, call);
      if (!undoable) return;
      const tool = findTool({ agents: deps.agents, tools }, task.agent, undoable.tool);
      const context: ToolContext = {
        scope: { tenant: task.tenant, subject: task.subject },
        taskId: task.taskId,
        receiptKey: `${task.taskId}/${call.step}/${call.callId}/undo`,
        signal,
        beforeSend: () => effects.claimUndoSend(task, call, undoable.sent),
      };
      const outcomeOf = (undone: Promise<UndoOutcome>) =>
        undone.catch(async (error: unknown): Promise<UndoOutcome> => {
          const failure = toAlfredError(error);
          if (signal.aborted || failure.code === 'superseded') throw error;
          if (failure.code === 'effect_unknown') return outcomeUnknown(undoable.tool);
          // An error of ours means that nothing was changed. Of any other error it is not known.
          if (error instanceof AlfredError) await effects.recordNoEffect(task, call, 'undo');
          if (!isFinal(failure)) throw error;
          return { state: 'failed', summary: failure.message };
        });
      const outcome = await guardWorker(deps, { task, tool: undoable.tool, signal }, (lost) =>
        outcomeOf(lost ? lostUndo(lost.why, undoable) : undo(tool, undoable, context)),
      );
      await untilStored(() => effects.completeUndo(task, call, outcome), signal);
      metrics.effectsUndone.inc({ tool: undoable.tool, state: outcome.state });
    }),

  /** Records a failed undo, for attempts that all ended without an outcome: a time-out, a dead worker. */
  giveUpUndo: ({ task, call }: { task: TaskRef; call: ToolCallKey }): Promise<void> =>
    effects.completeUndo(task, call, { state: 'failed', summary: 'It could not be undone after several attempts.' }),
});

async function undo(
  tool: Tool | undefined,
  { input, output, sent, tool: name }: UndoableCall,
  context: ToolContext,
): Promise<UndoOutcome> {
  if (!tool?.undo) return { state: 'impossible', summary: `A call of ${name} cannot be undone.` };
  if (sent && !tool.repeatable) return outcomeUnknown(name);
  const call = output === undefined ? await reconcileCall(tool, input, context) : { output };
  if (call === 'not_done') return { state: 'undone', summary: 'It had not taken effect.' };
  if (call === 'unknown') return outcomeUnknown(name);
  return { state: 'undone', ...(await tool.undo(input, call.output, context)) };
}

/** Asks the receiver about a call whose result was not stored. */
async function reconcileCall(
  tool: Tool,
  input: JsonValue,
  context: ToolContext,
): Promise<{ output: JsonValue } | 'not_done' | 'unknown'> {
  const callContext = { ...context, receiptKey: context.receiptKey.replace(/\/undo$/, '') };
  const outcome = (await tool.reconcile?.(input, callContext)) ?? { state: 'unknown' as const };
  return outcome.state === 'done' ? { output: outcome.output } : outcome.state;
}

/** The process of a worker has ended again and again while the undo ran. */
const lostUndo = async (why: string, { sent, tool }: UndoableCall): Promise<UndoOutcome> =>
  sent ? outcomeUnknown(tool) : { state: 'failed', summary: why };

const outcomeUnknown = (tool: string): UndoOutcome => ({
  state: 'unknown',
  summary: `It is not known whether the call of ${tool} took effect, or was undone.`,
});
