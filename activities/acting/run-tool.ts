import { AlfredError, maxAttemptsOf, defaultMessageOf } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { MessageHead, TaskRef, ToolCallRef, ToolMisuse, ToolResultRef } from '../../contract/references.ts';
import { findAgent } from '../../agents/index.ts';
import { hashArguments } from '../../runtime/hash.ts';
import {
  currentRun,
  findTool,
  isFinal,
  orWaitForService,
  requireWorkingTenant,
  toAlfredError,
  withHeartbeat,
} from '../activity-context.ts';
import { untilStored } from '../until-stored.ts';
import { resultCharactersNow, type ResultLengthDeps } from '../agent-settings.ts';
import { requiredApproval, type ApprovalDeps } from './approve.ts';
import { guardWorker, type LostWorkerDeps, type LostWorkers } from './lost-workers.ts';
import { askWhatBecame, runEffect } from './run-effect.ts';
import { mayCallTool } from './tool-rights.ts';
import type { DecidedCall, MessageStore, Effects, Ledger, Tool, ToolOutcome } from '../../contract/ports/index.ts';

export type ToolDeps = ApprovalDeps &
  LostWorkerDeps & {
    messageStore: MessageStore;
    ledger: Ledger;
    effects: Effects;
  } & ResultLengthDeps;

/** A verdict as a workflow passes it on. Only the approved arguments may run. */
export type ApprovalRef = { id: string; runs: boolean; argumentsHash: string | null };
type RunTool = {
  task: TaskRef;
  step: number;
  head: MessageHead;
  call: ToolCallRef;
  approval?: ApprovalRef | undefined;
  /** The workflow knows how to wait for our own services. */
  canWait?: boolean | undefined;
};

export const createToolActivities = (deps: ToolDeps) => {
  const { messageStore, ledger, metrics } = deps;
  return {
    /**
     * Runs one tool call under a receipt: a repeat returns the stored result.
     *
     * The model reads these as results: its own mistakes (unknown tool, wrong arguments), a person's denial, a
     * permanent failure of another system. A fault on our side is retried, and fails the task in the end.
     */
    runTool: ({ task, step, head, call, approval, canWait }: RunTool): Promise<ToolResultRef> =>
      withHeartbeat((signal) =>
        orWaitForService(canWait, async () => {
          await requireWorkingTenant(deps.tenants, task.tenant, canWait);
          const maxCharacters = await resultCharactersNow(deps, task);
          const requested = await messageStore.loadToolArguments(task, head, call.callId);
          const verdict = approval && (await deps.approvals.findVerdict(task, { step, callId: call.callId }));
          const input = verdict?.runs ? verdict.arguments : requested.arguments;
          const tool = toolOf(deps, task, call.tool);
          const isAllowed = !tool || (await mayCallTool(deps, task, call.tool));
          const isEdited = verdict?.runs === true && hashArguments(requested.arguments) !== verdict.argumentsHash;
          const receipt = await ledger.beginToolCall(task, {
            ...currentRun(),
            callId: call.callId,
            tool: call.tool,
            step,
            // A call that is denied or refused has no effect.
            ...(tool?.effect && isAllowed && approval?.runs !== false ? { effect: tool.effect } : {}),
            arguments: requested.malformed ?? input,
          });
          if (receipt.result) return receipt.result;
          const startedAt = performance.now();
          const outcome =
            requested.malformed === undefined
              ? await guardWorker(deps, { task, tool: call.tool, signal }, (lost) =>
                  attempt(deps, {
                    task,
                    step,
                    call,
                    tool,
                    isAllowed,
                    input,
                    approval,
                    verdict,
                    isEdited,
                    wasSent: receipt.sent,
                    lost,
                    signal,
                  }),
                )
              : errorOutcome(
                  `The arguments of ${call.tool} are no JSON object. Call it again with arguments that fit its schema.`,
                  'invalid_arguments',
                );
          const durationMs = Math.round(performance.now() - startedAt);
          const label = tool?.name ?? 'unknown';
          metrics.toolCalls.inc({ tool: label, outcome: outcome.isError ? 'error' : 'ok' });
          metrics.toolCallDuration.observe({ tool: label }, durationMs / 1_000);
          const completed = {
            callId: call.callId,
            tool: call.tool,
            step,
            ...outcome,
            durationMs,
            onKept: (files: number) => metrics.artifacts.inc({ tool: label }, files),
            maxCharacters,
          };
          // Without its result a call that has acted could not be distinguished from one whose response was lost.
          return untilStored(() => ledger.completeToolCall(task, completed), signal);
        }),
      ),
  };
};

/** The tool of that name, if the agent may call it. */
export function toolOf(deps: ToolDeps, { agent }: TaskRef, name: string): Tool | undefined {
  const isOffered = name === 'read_result' || findAgent(deps.agents, agent)?.tools.includes(name);
  return isOffered ? findTool(deps, agent, name) : undefined;
}

export type Outcome = Omit<ToolOutcome, 'isError'> & { isError: boolean; misuse?: ToolMisuse };

type Attempt = Pick<RunTool, 'task' | 'step' | 'call' | 'approval'> & {
  tool: Tool | undefined;
  /** The owner of the task has a role that the tool is kept for. */
  isAllowed: boolean;
  input: JsonValue;
  verdict: DecidedCall | undefined;
  /** A person has changed the arguments. */
  isEdited: boolean;
  /** An earlier attempt has sent its request and got no response. */
  wasSent: boolean;
  /** Why the call is not made again. */
  lost: LostWorkers | undefined;
  signal: AbortSignal;
};

async function attempt(
  deps: ToolDeps,
  { task, step, call, tool, isAllowed, input, approval, verdict, isEdited, wasSent, lost, signal }: Attempt,
): Promise<Outcome> {
  if (!tool && wasSent) return goneOutcome(call.tool);
  if (!tool) return errorOutcome(`There is no tool "${call.tool}".`, 'unknown_tool');
  if (!isAllowed) return refusalOutcome(call.tool, wasSent);
  if (approval && !approval.runs) return denialOutcome(verdict);
  try {
    const key = { step, callId: call.callId };
    if (lost) {
      if (!wasSent || !tool.reconcile || !lost.mayAsk) return lostOutcome(lost, wasSent);
      const found = await askWhatBecame(deps.effects, { task, call: key, tool, input, wasSent, signal });
      return found ? { ...found, isError: found.isError ?? false } : lostOutcome(lost, false);
    }
    // Before the approval check: invalid input was never shown to a person, and the tool's error explains it.
    tool.check?.(input);
    await checkApproval(deps, { task, call, input, approval, verdict });
    const outcome = await runEffect(deps.effects, { task, call: key, tool, input, wasSent, signal });
    return {
      ...outcome,
      output: withApprovalNote(outcome.output, verdict, isEdited ? input : undefined),
      isError: outcome.isError ?? false,
    };
  } catch (error) {
    const failure = toAlfredError(error);
    if (signal.aborted || failure.code === 'superseded') throw error;
    if (failure.code === 'effect_unknown' && isFinal(failure)) return errorOutcome(failure.fullMessage);
    if (maxAttemptsOf(failure.code) === 1)
      return errorOutcome(failure.fullMessage, failure.code === 'invalid_request' ? 'invalid_arguments' : undefined);
    const toolFailure =
      failure.code === 'internal'
        ? new AlfredError('tool_failed', `The tool ${call.tool} failed after several attempts.`, { cause: error })
        : failure;
    // The agent reports what another system could not do.
    if ((tool.effect || tool.failureIsResult) && toolFailure.code === 'tool_failed' && isFinal(toolFailure))
      return errorOutcome(toolFailure.fullMessage);
    throw toolFailure;
  }
}

/**
 * Checks that a call which needs approval has it, for exactly these arguments.
 *
 * @throws AlfredError `approval_missing`
 */
export async function checkApproval(
  deps: ToolDeps,
  { task, call, input, approval, verdict }: Pick<Attempt, 'task' | 'call' | 'input' | 'approval' | 'verdict'>,
): Promise<void> {
  const isApproved =
    approval?.argumentsHash != null &&
    verdict?.runs === true &&
    verdict.id === approval.id &&
    verdict.argumentsHash === approval.argumentsHash &&
    hashArguments(input) === approval.argumentsHash;
  if (isApproved || (!approval && !(await requiredApproval(deps, task, call.tool, input)))) return;
  throw new AlfredError('approval_missing', `${call.tool} was not called: ${defaultMessageOf('approval_missing')}`);
}

/** The process of a worker has ended again and again while the tool ran. */
const lostOutcome = ({ why }: LostWorkers, wasSent: boolean): Outcome =>
  errorOutcome(
    wasSent
      ? `${why} It had left, and no answer came: it may or may not have taken effect.`
      : `${why} Do not call it again with the same arguments. Say what could not be done.`,
  );

/** A newer version of the agent, or of its pack, does not have the tool of a call any more. */
const goneOutcome = (tool: string): Outcome =>
  errorOutcome(
    `A call of ${tool} left, and no answer came: it may or may not have taken effect. It was not repeated, because there is no such tool any more.`,
  );

/** For a call whose owner lacks the role, or has lost it since the model asked for the call. */
export function refusalOutcome(tool: string, wasSent: boolean): Outcome {
  const why = `${tool} is kept for people with a role that the person who asked does not have`;
  return errorOutcome(
    wasSent
      ? `A call of ${tool} left, and no answer came: it may or may not have taken effect. It was not repeated, because ${why} any more.`
      : `The call was not made: ${why}. Do not call it again. Say what could not be done.`,
  );
}

export function denialOutcome(verdict: DecidedCall | undefined): Outcome {
  const comment = verdict?.comment ? ` They say: ${verdict.comment}` : '';
  return errorOutcome(
    verdict?.status === 'expired'
      ? 'The call was not made: nobody approved it in time.'
      : `The call was not made: a person denied it.${comment}`,
  );
}

/**
 * Adds what the model does not know of the approval: the person's comment, and the arguments if the person edited them.
 */
function withApprovalNote(
  result: JsonValue,
  verdict: DecidedCall | undefined,
  editedArguments: JsonValue | undefined,
): JsonValue {
  const comment = verdict?.comment;
  if (editedArguments === undefined && comment == null) return result;
  return {
    note:
      editedArguments === undefined
        ? 'A person approved this call.'
        : 'A person approved this call with other arguments.',
    ...(comment == null ? {} : { comment }),
    ...(editedArguments === undefined ? {} : { arguments: editedArguments }),
    result,
  };
}

export const errorOutcome = (message: string, misuse?: ToolMisuse): Outcome => ({
  output: { error: message },
  summary: message,
  isError: true,
  ...(misuse ? { misuse } : {}),
});
