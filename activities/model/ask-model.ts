import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as newId } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import { noUsage, totalTokens, type MessageHead, type ReachedLimit, type TaskRef } from '../../contract/references.ts';
import { budgetExceeded } from '../../contract/rules/wait-reason.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { isDatabaseUnavailable } from '../../runtime/database/postgres.ts';
import { callLimitMs } from '../../contract/rules/call-limit.ts';
import { toAlfredError } from '../activity-context.ts';
import { createCallSignal } from './call-signal.ts';
import { waitForEarlierAttempts, type EarlierAttemptsDeps } from './earlier-attempts.ts';
import { judgeResponse, type AnswerContext } from './judge-response.ts';
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
  PaidCall,
  Purpose,
  Run,
  TaskEvents,
} from '../../contract/ports/index.ts';
import { reserve } from './reserve.ts';
import { RunningCall } from './running-call.ts';
import { createTextWriter } from './text-writer.ts';

export type AskDeps = EarlierAttemptsDeps & {
  ledger: Ledger;
  events: TaskEvents;
  gate: ModelGate;
  messageStore: Pick<MessageStore, 'loadAll' | 'loadResults'>;
  metrics: Metrics;
  /** Daily limits that the task's calls are charged to. */
  dayLimitsOf(task: TaskRef): DayLimit[];
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
  await waitForEarlierAttempts(deps, modelCall, signal);
  const paidBefore = await passGate(deps, modelCall);
  if (paidBefore) return paidBefore;
  const { task, at, purpose, provider, request } = modelCall;
  const { step, attempt } = at;
  const identity = { callId: newId(), step, attempt, purpose, provider: provider.name, model: request.model };
  const dayLimits = deps.dayLimitsOf(task);
  const endLease = deps.leases.hold(identity.callId);
  try {
    const reserved = await reserve(
      {
        ...modelCall,
        begin: (worstCase) => deps.ledger.beginModelCall(task, { ...identity, ...at, worstCase, dayLimits }),
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
  const { task, facts, estimatedTokens, parent, answer } = modelCall;
  const running = new RunningCall(facts, { estimatedTokens, maxOutputTokens });
  const record = () => ({ ...identity, ...running.record() });
  const whyUnwanted = async () => stopErrorOf(await ledger.stateOfCall(task, identity.callId));
  const stop = createCallSignal({ activity, limitMs: callLimitMs(maxOutputTokens), whyUnwanted });
  const { signal } = stop;
  let isStreaming = true;
  try {
    await stream(deps, running, { ...modelCall, request: { ...modelCall.request, maxOutputTokens } }, signal);
    isStreaming = false;
    await ignoreGateFailure(deps, gate.recordSuccess(facts.name, gateUsageOf(running, modelCall)));
    if (cutBy && running.wasCut()) throw budgetExceeded(cutBy);
    const { parts, stopReason } = running.response({ mayBeCut: answer === undefined });
    const judged = answer
      ? await judgeResponse(deps, { task, model: facts.name, ...answer }, { text: running.text, parts })
      : { result: { text: running.text, citations: [] } };
    const completed = { ...record(), parent, parts, stopReason, ...judged };
    const paid = await retryStore(() => ledger.settleModelCall(task, completed), signal);
    observeCall(metrics, completed, 'completed');
    return paid;
  } catch (error) {
    const isStopped = signal.aborted || (error instanceof AlfredError && error.code === 'superseded');
    const failure = isStopped
      ? await stopReasonOf(signal, whyUnwanted)
      : await withCircuitState(deps, modelCall, toAlfredError(error), isStreaming);
    observeCall(metrics, record(), failure.code);
    const textParts = cutBy && answer && !isStopped ? running.cutText() : [];
    const cut = textParts.length > 0 ? { parent, parts: textParts } : undefined;
    throw await recordFailure(deps, modelCall, { record: { ...record(), cut }, failure, error });
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
  }: {
    record: Omit<Parameters<Ledger['failModelCall']>[1], 'code' | 'message' | 'mayRetry'>;
    failure: AlfredError;
    error: unknown;
  },
): Promise<AlfredError> {
  const { code, message, retryAfterMs, details } = failure;
  const mayRetry = code !== 'cancelled' && code !== 'superseded';
  const failures = await ledger
    .failModelCall(task, { ...record, code, message, mayRetry })
    .catch((storeError: unknown) => {
      log.error({ err: storeError, taskId: task.taskId, step: at.step }, 'a failed model call could not be recorded');
      return undefined;
    });
  return new AlfredError(code, message, { retryAfterMs, failures, details, cause: failure.cause ?? error });
}

/** @returns the stored response, if the gate is closed and the step is paid for: that needs no provider */
async function passGate(
  { gate, ledger, metrics }: AskDeps,
  { task, at, purpose, facts, estimatedTokens }: ModelCall,
): Promise<PaidCall | undefined> {
  const entry = await gate.enter(facts, estimatedTokens);
  if (entry.open) return undefined;
  const paid = await ledger.findPaidCall(task, at.step, purpose);
  if (paid) return paid;
  if (entry.reason === 'outage') throw outage(facts);
  metrics.modelRateLimited.inc({ model: facts.name });
  // The same code as a 429 of the provider, although no call was made.
  const seconds = Math.ceil(entry.retryAfterMs / 1_000);
  throw new AlfredError('model_rate_limited', `${facts.name} is at its limit for another ${seconds} s.`, {
    retryAfterMs: entry.retryAfterMs,
  });
}

export const outage = ({ name: model }: Pick<ModelFacts, 'name'>, cause?: unknown, because?: 'auth') => {
  const details = { reason: 'outage' as const, model, ...(because ? { because } : {}) };
  // The provider's own words say what a person has to mend.
  const message = because && cause instanceof Error ? cause.message : `${model} does not answer; its circuit is open.`;
  return new AlfredError('model_outage', message, { details, cause });
};

/**
 * Reports a provider's failure to the gate, which all workers share. While the circuit is open the failure becomes an
 * outage, for which the task waits instead of failing.
 */
async function withCircuitState(
  deps: AskDeps,
  { facts }: ModelCall,
  error: AlfredError,
  isStreaming: boolean,
): Promise<AlfredError> {
  if (!isStreaming) return error;
  if (error.code === 'model_rate_limited')
    await ignoreGateFailure(deps, deps.gate.recordRateLimit(facts.name, error.retryAfterMs ?? 5_000));
  if (error.code === 'model_auth') {
    await ignoreGateFailure(deps, deps.gate.recordFailure(facts.name, 'auth'));
    return outage(facts, error, 'auth');
  }
  if (error.code !== 'model_unavailable') return error;
  const isOpen = await ignoreGateFailure(deps, deps.gate.recordFailure(facts.name));
  return isOpen ? outage(facts, error.cause ?? error) : error;
}

/** A failure of the gate is logged and never fails the call. */
const ignoreGateFailure = <T>({ log }: AskDeps, report: Promise<T>): Promise<T | undefined> =>
  report.catch((error: unknown) => {
    log.warn({ err: error }, 'the state of a model could not be shared');
    return undefined;
  });

const gateUsageOf = (running: RunningCall, { estimatedTokens }: ModelCall) => ({
  tokens: totalTokens({ ...noUsage, ...running.record().usage }),
  estimated: estimatedTokens,
  limits: running.limits,
});

/** Why a call was stopped. Streaming stops with a reason of its own, when its text is not wanted any more. */
async function stopReasonOf(
  { reason }: AbortSignal,
  whyUnwanted: () => Promise<AlfredError | undefined>,
): Promise<AlfredError> {
  if (reason instanceof AlfredError) return reason;
  if (reason instanceof Error && reason.message === 'WORKER_SHUTDOWN')
    return new AlfredError('draining', 'The worker shuts down.');
  return (await whyUnwanted().catch(() => undefined)) ?? new AlfredError('cancelled');
}

const stopErrorOf = (state: Awaited<ReturnType<Ledger['stateOfCall']>>): AlfredError | undefined => {
  if (state === 'open') return undefined;
  return state === 'ended' ? new AlfredError('cancelled') : new AlfredError('superseded');
};

/** How long to retry storing a paid response, in milliseconds. The activity's own limit is longer. */
const maxStoreMs = 10 * 60_000;

/** Retries while the database is unavailable, because without the stored response the model would be paid again. */
async function retryStore<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const startedAt = performance.now();
  while (true) {
    try {
      return await store();
    } catch (error) {
      if (!isDatabaseUnavailable(error) || signal.aborted || performance.now() - startedAt > maxStoreMs) throw error;
      await sleep(1_000);
    }
  }
}

/** Consumes the provider's events. The text of a step is also streamed to those who follow the task. */
async function stream(
  { events, log }: AskDeps,
  running: RunningCall,
  { task, at, purpose, provider, request }: ModelCall,
  cancelled: AbortSignal,
) {
  const superseded = new AbortController();
  const either = linkAbort([cancelled, superseded.signal]);
  const append = async (text: string) => {
    if (!(await events.appendText(task, at, text))) superseded.abort(new AlfredError('superseded'));
  };
  const writer = createTextWriter(append, (error) =>
    log.warn({ err: error, taskId: task.taskId, step: at.step }, 'streamed text could not be written yet'),
  );
  try {
    for await (const event of provider.stream(request, either.signal)) {
      running.take(event);
      if (event.type === 'text' && purpose === 'turn') writer.write(event.text);
    }
  } catch (error) {
    // After our abort a provider throws an error of its own: throw the reason for the abort instead.
    superseded.signal.throwIfAborted();
    throw error;
  } finally {
    either.release();
    await writer.close();
  }
  superseded.signal.throwIfAborted();
}
