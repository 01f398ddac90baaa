import { AlfredError, maxAttemptsOf, defaultMessageOf } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { MessageHead, TaskRef, ToolCallRef, ToolMisuse, ToolResultRef } from '../../contract/references.ts';
import { hashArguments } from '../../runtime/hash.ts';
import { neededRule, type ApprovalDeps } from './approve.ts';
import { currentRun } from '../current-run.ts';
import { alfredErrorOf } from '../errors.ts';
import { withHeartbeat } from '../activity-context.ts';
import { isFinal, runEffect } from './run-effect.ts';
import type { DecidedCall, MessageStore, Effects, Ledger, Tool, ToolOutcome } from '../../contract/ports/index.ts';
import { toolNamed } from './tool-named.ts';

export type ToolDeps = ApprovalDeps & {
  messageStore: MessageStore;
  ledger: Ledger;
  effects: Effects;
  /** Characters of a result that an agent's models read at once; the rest is read with `read_result`. */
  resultCharactersOf: (agent: string) => number;
};

/** A verdict as a workflow hands it over: what runs is what was approved. */
export type ApprovalRef = { id: string; runs: boolean; argumentsHash: string | null };
type RunTool = {
  task: TaskRef;
  step: number;
  head: MessageHead;
  call: ToolCallRef;
  approval?: ApprovalRef | undefined;
};

export const createToolActivities = (deps: ToolDeps) => {
  const { messageStore: conversations, ledger, metrics, resultCharactersOf } = deps;
  return {
    /**
     * One tool call under a receipt: a repeat returns what was stored. What the model got wrong (unknown tool, wrong
     * arguments), what a person denied and what failed out there for good is a result it can read; what is broken on our
     * side is retried, then fails the task.
     */
    runTool: ({ task, step, head, call, approval }: RunTool): Promise<ToolResultRef> =>
      withHeartbeat(async (signal) => {
        const asked = await conversations.loadToolArguments(task, head, call.callId);
        const verdict = approval && (await deps.approvals.findVerdict(task, { step, callId: call.callId }));
        const input = verdict?.runs ? verdict.arguments : asked.arguments;
        const known = toolOf(deps, task, call.tool);
        const isEdited = verdict?.runs === true && hashArguments(asked.arguments) !== verdict.argumentsHash;
        const receipt = await ledger.beginToolCall(task, {
          ...currentRun(),
          ...{ callId: call.callId, tool: call.tool, step },
          // What was denied changes nothing.
          ...(known?.effect && approval?.runs !== false ? { effect: known.effect } : {}),
          arguments: asked.malformed ?? input,
        });
        if (receipt.result) return receipt.result;
        const begun = performance.now();
        const outcome =
          asked.malformed === undefined
            ? await attempt(deps, {
                task,
                step,
                call,
                known,
                input,
                approval,
                verdict,
                isEdited,
                left: receipt.sent,
                signal,
              })
            : refused(
                `The arguments of ${call.tool} are no JSON object. Call it again with arguments that fit its schema.`,
                'invalid_arguments',
              );
        const durationMs = Math.round(performance.now() - begun);
        const tool = known?.name ?? 'unknown';
        metrics.toolCalls.inc({ tool, outcome: outcome.isError ? 'error' : 'ok' });
        metrics.toolCallDuration.observe({ tool }, durationMs / 1_000);
        return ledger.completeToolCall(task, {
          ...{ callId: call.callId, tool: call.tool, step, ...outcome, durationMs },
          maxCharacters: resultCharactersOf(task.agent),
        });
      }),
  };
};

/** What an agent may call by that name. */
function toolOf({ tools, agents }: ToolDeps, { agent }: TaskRef, name: string): Tool | undefined {
  const isOffered = name === 'read_result' || (Object.hasOwn(agents, agent) && agents[agent]?.tools.includes(name));
  return isOffered ? toolNamed(tools, name) : undefined;
}

type Outcome = ToolOutcome & { isError: boolean; misuse?: ToolMisuse };

type Attempt = Pick<RunTool, 'task' | 'step' | 'call' | 'approval'> & {
  known: Tool | undefined;
  input: JsonValue;
  verdict: DecidedCall | undefined;
  /** A person has changed the arguments. */
  isEdited: boolean;
  left: boolean;
  signal: AbortSignal;
};

async function attempt(
  deps: ToolDeps,
  { task, step, call, known, input, left, signal, ...asked }: Attempt,
): Promise<Outcome> {
  if (!known) return refused(`There is no tool "${call.tool}".`, 'unknown_tool');
  if (asked.approval && !asked.approval.runs) return denied(asked.verdict);
  try {
    // What the tool would turn away was never asked about; it says why itself.
    known.check?.(input);
    await mayRun(deps, { task, call, input, ...asked });
    const at = { step, callId: call.callId };
    const done = await runEffect(deps.effects, { task, call: at, tool: known, input, left, signal });
    return {
      ...done,
      output: remarked(done.output, asked.verdict, asked.isEdited ? input : undefined),
      isError: false,
    };
  } catch (error) {
    const failure = alfredErrorOf(error);
    if (signal.aborted || failure.code === 'superseded') throw error;
    if (failure.code === 'effect_unknown' && isFinal(failure)) return refused(failure.message);
    if (maxAttemptsOf(failure.code) === 1)
      return refused(failure.message, failure.code === 'invalid_request' ? 'invalid_arguments' : undefined);
    const told =
      failure.code === 'internal'
        ? new AlfredError('tool_failed', `The tool ${call.tool} failed after several attempts.`, { cause: error })
        : failure;
    // What others out there could not do is for the agent to tell.
    if (known.effect && told.code === 'tool_failed' && isFinal(told)) return refused(told.message);
    throw told;
  }
}

/**
 * Nothing runs unapproved, nor with other arguments than those that were approved.
 * @throws AlfredError `approval_missing`
 */
async function mayRun(
  deps: ToolDeps,
  { task, call, input, approval, verdict }: Pick<Attempt, 'task' | 'call' | 'input' | 'approval' | 'verdict'>,
): Promise<void> {
  const isApproved =
    approval?.argumentsHash != null &&
    verdict?.runs === true &&
    verdict.id === approval.id &&
    verdict.argumentsHash === approval.argumentsHash &&
    hashArguments(input) === approval.argumentsHash;
  if (isApproved || (!approval && !(await neededRule(deps, task, call.tool, input)))) return;
  throw new AlfredError('approval_missing', `${call.tool} was not called: ${defaultMessageOf('approval_missing')}`);
}

function denied(verdict: DecidedCall | undefined): Outcome {
  const why = verdict?.comment ? ` They say: ${verdict.comment}` : '';
  return refused(
    verdict?.status === 'expired'
      ? 'The call was not made: nobody approved it in time.'
      : `The call was not made: a person denied it.${why}`,
  );
}

/** What the agent does not know: that other arguments ran than it remembers, and what was said when they were approved. */
function remarked(result: JsonValue, verdict: DecidedCall | undefined, edited: JsonValue | undefined): JsonValue {
  const comment = verdict?.comment;
  if (edited === undefined && comment == null) return result;
  return {
    note: edited === undefined ? 'A person approved this call.' : 'A person approved this call with other arguments.',
    ...(comment == null ? {} : { comment }),
    ...(edited === undefined ? {} : { arguments: edited }),
    result,
  };
}

const refused = (message: string, misuse?: ToolMisuse): Outcome => ({
  output: { error: message },
  summary: message,
  isError: true,
  ...(misuse ? { misuse } : {}),
});
