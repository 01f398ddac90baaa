import { v7 as newId } from 'uuid';
import { AlfredError, maxAttemptsOf } from '../../contract/errors.ts';
import type { MessageHead, ReachedLimit, TaskRef } from '../../contract/references.ts';
import { callLimitMs } from '../../contract/rules/call-limit.ts';
import { budgetExceeded } from '../../contract/rules/wait-reason.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { toAlfredError } from '../activity-context.ts';
import { createCallSignal } from './call-signal.ts';
import { waitForEarlierAttempts, type EarlierAttemptsDeps } from './earlier-attempts.ts';
import { judgeResponse, type AnswerContext } from './judge-response.ts';
import { gateUsageOf, ignoreGateFailure, throughGate, withCircuitState } from './gate.ts';
import { observeCall } from './observe-call.ts';
import type {
  CompletedModelCall,
  DayLimit,
  Ledger,
  MessageStore,
  ModelFacts,
  ModelGate,
  ModelProvider,
  ModelRequest,
  NextMessage,
  PaidCall,
  Purpose,
  Run,
  TaskEvents,
} from '../../contract/ports/index.ts';
import { reserve } from './reserve.ts';
import { RunningCall } from './running-call.ts';
import { abortReasonOf, overtaken, refusalReasonOf, stopErrorOf } from './stop-reason.ts';
import { storeRest, streamText } from './stream-text.ts';
import type { UnwrittenText } from './text-writer.ts';
import { untilStored } from '../until-stored.ts';

export type AskDeps = EarlierAttemptsDeps & {
  ledger: Ledger;
  events: TaskEvents;
  gate: ModelGate;
  messageStore: Pick<MessageStore, 'loadAll' | 'loadResults'>;
  metrics: Metrics;
  /** Aborts with the reason WORKER_SHUTDOWN when the worker's grace time is over. */
  draining?: AbortSignal | undefined;
  /** Daily limits that the task's calls are charged to. */
  dayLimitsOf(task: TaskRef): Promise<DayLimit[]>;
};

/** The step and the attempt that a model call belongs to. */
export type CallAttempt = Run & { step: number; attempt: number };

export type ModelCall = {
  task: TaskRef;
  at: CallAttempt;
  purpose: Purpose;
  facts: ModelFacts;
  provider: ModelProvider;
  request: ModelRequest;
  /** Estimated input tokens. */
  estimatedTokens: number;
  /** Upper bound of the input tokens. */
  upperBoundTokens: number;
  /** The message that the response follows. */
  parent: MessageHead;
  /** A message before it that is stored when the call begins. */
  unstored?: NextMessage | undefined;
  /** What a step's answer is checked against; absent for a summary, whose text is used as it is. */
  answer?: AnswerContext | undefined;
};

/**
 * Makes one model call that is paid for once: waits for an earlier attempt that still runs, passes the gate, reserves
 * the worst case, streams, stores and settles the response. A repeat returns the stored response.
 *
 * @throws AlfredError `model_outage` while the model's circuit is open, `model_rate_limited` with the time to wait,
 *   `budget_exceeded` before anything was spent, and any error of the provider
 */
export async function askModel(deps: AskDeps, modelCall: ModelCall, signal: AbortSignal): Promise<PaidCall> {
  // An attempt that Temporal does not wait for begins no further call.
  signal.throwIfAborted();
  const { task, at, purpose, provider, request, unstored } = modelCall;
  const { step, attempt } = at;
  // There may be an earlier attempt of another number too: then the ledger does not begin the call.
  let replaces = attempt === 1 ? [] : await waitForEarlierAttempts(deps, modelCall, signal);
  const identity = { callId: newId(), step, attempt, purpose, provider: provider.name, model: request.model };
  const dayLimits = await deps.dayLimitsOf(task);
  const endLease = deps.leases.hold(identity.callId);
  try {
    const reserved = await reserve(
      {
        ...modelCall,
        begin: async (worstCase) => {
          while (true) {
            signal.throwIfAborted();
            // Right before the call, so that nothing is held during a wait.
            const begun = await throughGate(deps, modelCall, signal, () =>
              deps.ledger.beginModelCall(task, { ...identity, ...at, replaces, worstCase, dayLimits, unstored }),
            );
            if (begun !== 'running') return begun;
            replaces = await waitForEarlierAttempts(deps, modelCall, signal);
          }
        },
      },
      signal,
    );
    return reserved.paid ?? (await makeCall(deps, modelCall, { identity, ...reserved, signal }));
  } finally {
    endLease();
  }
}

type BegunCall = {
  identity: Pick<CompletedModelCall, 'callId' | 'step' | 'attempt' | 'purpose' | 'provider' | 'model'>;
  maxOutputTokens: number;
  cutBy: ReachedLimit | undefined;
  /** The activity's signal. */
  signal: AbortSignal;
};

/** Makes a call that is charged, and records how it ended. */
async function makeCall(
  deps: AskDeps,
  modelCall: ModelCall,
  { identity, maxOutputTokens, cutBy, signal: activity }: BegunCall,
): Promise<PaidCall> {
  const { ledger, gate, metrics } = deps;
  const { task, at, facts, estimatedTokens, parent, answer } = modelCall;
  const running = new RunningCall(facts, { estimatedTokens, maxOutputTokens });
  const record = () => ({ ...identity, ...running.record() });
  const whyUnwanted = async () => stopErrorOf(await ledger.stateOfCall(task, identity.callId));
  const stop = createCallSignal({
    activity,
    draining: deps.draining,
    limitMs: callLimitMs(maxOutputTokens),
    whyUnwanted,
  });
  const { signal } = stop;
  const source = { callId: identity.callId, step: at.step, attempt: at.attempt };
  let isStreaming = true;
  let streamed: UnwrittenText = { rest: '', pieces: 0 };
  try {
    const request = { ...modelCall.request, maxOutputTokens };
    streamed = await streamText(deps, running, { ...modelCall, source, request }, signal);
    isStreaming = false;
    await ignoreGateFailure(deps, gate.recordSuccess(facts.name, gateUsageOf(running, modelCall)));
    if (cutBy && running.wasCut()) throw budgetExceeded(cutBy);
    const { parts, stopReason } = running.response({ mayBeCut: answer === undefined });
    const judged = answer
      ? await judgeResponse(deps, { task, model: facts.name, ...answer }, { text: running.text, parts })
      : { result: { text: running.text, citations: [] } };
    const completed = { ...record(), parent, parts, stopReason, streamed, ...judged };
    const paid = await untilStored(async () => {
      // Before `model.completed`: who follows the text has all of it then.
      if (streamed.whole !== undefined) await deps.events.completeText(task, source, streamed.whole);
      return ledger.settleModelCall(task, completed);
    }, signal);
    observeCall(metrics, completed, 'completed');
    return paid;
  } catch (error) {
    await storeRest(deps, { task, source }, streamed);
    const isRefused = error instanceof AlfredError && error.code === 'superseded';
    const isStopped = signal.aborted || isRefused;
    let failure: AlfredError;
    if (signal.aborted) failure = await abortReasonOf(signal, whyUnwanted);
    else if (isRefused) failure = await refusalReasonOf(whyUnwanted);
    else failure = await withCircuitState(deps, modelCall, toAlfredError(error), isStreaming);
    const findPaid = () => ledger.findPaidCall(task, at.step, identity.purpose);
    const isOvertaken = failure.code === 'superseded' && !signal.aborted;
    // Without an answer the step goes on with another call, and so followers hear.
    if (isOvertaken && !(await findPaid().catch(() => undefined))) failure = overtaken();
    observeCall(metrics, record(), failure.code);
    const textParts = cutBy && answer && !isStopped ? running.cutText() : [];
    const cut = textParts.length > 0 ? { parent, parts: textParts } : undefined;
    const recorded = await recordFailure(deps, modelCall, {
      record: { ...record(), cut },
      failure,
      error,
      activity,
    });
    if (failure.code !== 'superseded') throw recorded;
    const paid = await findPaid();
    if (paid) return paid;
    throw recorded;
  } finally {
    stop.release();
  }
}

/** Records a failed attempt. @returns the error to throw, with the number of failures so far */
async function recordFailure(
  { ledger, log }: AskDeps,
  { task, at }: ModelCall,
  {
    record,
    failure,
    error,
    activity,
  }: {
    record: Omit<Parameters<Ledger['failModelCall']>[1], 'code' | 'message' | 'mayRetry'>;
    failure: AlfredError;
    error: unknown;
    /** The activity's signal. */
    activity: AbortSignal;
  },
): Promise<AlfredError> {
  const { code, message, retryAfterMs, details } = failure;
  const mayRetry = code !== 'cancelled' && code !== 'superseded';
  const failures = await untilStored(
    () => ledger.failModelCall(task, { ...record, code, message, mayRetry }),
    activity,
  ).catch((storeError: unknown) => {
    log.error({ err: storeError, taskId: task.taskId, step: at.step }, 'a failed model call could not be recorded');
    // Without its count it is not known to be the last attempt of several; the number of this attempt counts other
    // failures too.
    return maxAttemptsOf(code) > 1 ? 0 : undefined;
  });
  return new AlfredError(code, message, { retryAfterMs, failures, details, cause: failure.cause ?? error });
}
