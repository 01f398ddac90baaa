import { AlfredError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { TaskRef } from '../../contract/references.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import { withTimeout } from '../../runtime/with-timeout.ts';
import { currentRun } from '../activity-context.ts';
import type { Effects, Tool, ToolCallKey, ToolContext, ToolOutcome } from '../../contract/ports/index.ts';

type EffectCall = {
  task: TaskRef;
  call: ToolCallKey;
  tool: Tool;
  input: JsonValue;
  /** An earlier attempt has sent its request and got no response. */
  wasSent: boolean;
  signal: AbortSignal;
};

/**
 * Runs a tool. A tool that changes the world sends its request at most once. If an earlier attempt has sent it without
 * a response, the tool is asked what became of that request. If the receiver detects repeats, the tool just runs again.
 *
 * @throws AlfredError `effect_unknown` when it cannot be known whether the call took effect; and any error of the
 *   tool
 */
export async function runEffect(
  effects: Effects,
  { task, call, tool, input, wasSent, signal }: EffectCall,
): Promise<ToolOutcome> {
  const context = contextOf(effects, { task, call, tool, wasSent, signal });
  if (wasSent && tool.reconcile) {
    const found = await askWhatBecame(effects, { task, call, tool, input, wasSent, signal });
    if (found) return found;
  } else if (wasSent && !tool.repeatable) throw effectUnknown(tool);
  try {
    return await (tool.effect ? tool.run(input, context) : runWithinTime(tool, input, context));
  } catch (error) {
    // These errors mean that this request changed nothing; but an earlier one that it repeats may have.
    const isCertain = error instanceof AlfredError && error.code !== 'effect_unknown' && error.code !== 'superseded';
    if (!tool.effect || !isCertain || signal.aborted) throw error;
    if (wasSent && tool.repeatable) throw withEarlierAttempt(error);
    await effects.recordNoEffect(task, call, 'call');
    throw error;
  }
}

/**
 * Asks the receiver about a call that was sent.
 *
 * @returns undefined when it has not taken effect
 * @throws AlfredError `effect_unknown` when the receiver does not know, or cannot be asked; and any error of the tool
 */
export async function askWhatBecame(effects: Effects, effectCall: EffectCall): Promise<ToolOutcome | undefined> {
  const { task, call, tool, input } = effectCall;
  const outcome = await tool.reconcile?.(input, contextOf(effects, effectCall));
  if (!outcome || outcome.state === 'unknown') throw effectUnknown(tool);
  if (outcome.state === 'done') {
    const { state: _, ...found } = outcome;
    return found;
  }
  await effects.recordNoEffect(task, call, 'call');
  return undefined;
}

function contextOf(effects: Effects, { task, call, tool, wasSent, signal }: Omit<EffectCall, 'input'>): ToolContext {
  const run = currentRun();
  return {
    scope: { tenant: task.tenant, subject: task.subject },
    taskId: task.taskId,
    receiptKey: `${task.taskId}/${call.step}/${call.callId}`,
    signal,
    beforeSend: () => (tool.effect ? effects.claimSend(task, run, call, wasSent) : Promise.resolve()),
  };
}

/** How long a call that changes nothing may take, in milliseconds. Shorter than the activity's own time-out. */
export const defaultTimeoutMs = 120_000;

/**
 * Runs a tool that changes nothing. A call that hangs is aborted.
 *
 * @throws AlfredError `tool_failed` when the time is over
 */
async function runWithinTime(tool: Tool, input: JsonValue, context: ToolContext): Promise<ToolOutcome> {
  const { timeoutMs = defaultTimeoutMs } = tool;
  const timeout = new AbortController();
  const either = linkAbort([context.signal, timeout.signal]);
  const onTimeout = () => {
    const error = new AlfredError('tool_failed', `The tool ${tool.name} did not answer within ${timeoutMs / 1_000} s.`);
    timeout.abort(error);
    throw error;
  };
  try {
    return await withTimeout(tool.run(input, { ...context, signal: either.signal }), timeoutMs, onTimeout);
  } finally {
    either.release();
  }
}

/** The failure of a repeat, for a model that would otherwise take the whole call for failed. */
const withEarlierAttempt = (error: AlfredError) =>
  new AlfredError(
    error.code,
    `${error.message} An earlier attempt of this call got no clear answer and may have taken effect.`,
    { retryAfterMs: error.retryAfterMs, failures: error.failures, cause: error },
  );

const effectUnknown = ({ name }: Tool) =>
  new AlfredError(
    'effect_unknown',
    `A call of ${name} left, and no answer came: it may or may not have taken effect. It was not repeated.`,
    { failures: Infinity },
  );
