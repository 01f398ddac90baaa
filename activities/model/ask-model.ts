import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as newId } from 'uuid';
import { AlfredError } from '../../contract/errors.ts';
import type { AssistantPart } from '../../contract/messages.ts';
import { noUsage, totalTokens, type MessageHead, type TaskRef } from '../../contract/references.ts';
import { budgetExceeded } from '../../contract/rules/wait-reason.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { isDatabaseUnavailable } from '../../runtime/database/postgres.ts';
import { alfredErrorOf, isShutdown } from '../errors.ts';
import { observeCall } from './observe-call.ts';
import type {
  CompletedModelCall,
  DayLimit,
  Ledger,
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

export type AskDeps = {
  ledger: Ledger;
  events: TaskEvents;
  gate: ModelGate;
  metrics: Metrics;
  log: Logger;
  /** Limits of the day that a task's calls draw on. */
  dayLimitsOf(task: TaskRef): DayLimit[];
};

export type Ask = {
  task: TaskRef;
  at: Run & { step: number; attempt: number };
  purpose: Purpose;
  facts: ModelFacts;
  provider: ModelProvider;
  request: ModelRequest;
  estimatedTokens: number;
  boundTokens: number;
  /** The message that the response follows. */
  parent: MessageHead;
  /** What becomes of a response: a result, a correction, or neither when it calls tools. */
  judge: (response: Answer) => Promise<Pick<CompletedModelCall, 'result' | 'correction'>>;
};

export type Answer = { text: string; parts: AssistantPart[] };

/**
 * One model call, paid once: through the gate, its worst case charged, streamed, stored, settled. A repeat returns what
 * was stored.
 *
 * @throws AlfredError `model_outage` while the model's circuit is open, `model_rate_limited` with when to come back,
 *   `budget_exceeded` before anything was spent, and whatever the provider said
 */
export async function askModel(deps: AskDeps, ask: Ask, signal: AbortSignal): Promise<PaidCall> {
  const { ledger, gate, log } = deps;
  const { task, at, purpose, facts, provider } = ask;
  const kept = await enter(deps, ask);
  if (kept) return kept;
  const callId = newId();
  const named = {
    callId,
    step: at.step,
    attempt: at.attempt,
    purpose,
    provider: provider.name,
    model: ask.request.model,
  };
  const dayLimits = deps.dayLimitsOf(task);
  const reserved = await reserve(
    {
      ...ask,
      begin: (worstCase) => ledger.beginModelCall(task, { ...named, ...at, worstCase, dayLimits }),
    },
    signal,
  );
  if (reserved.paid) return reserved.paid;
  const request = { ...ask.request, maxOutputTokens: reserved.maxOutputTokens };

  const call = new RunningCall(facts);
  const record = () => ({ ...named, ...call.record() });
  let streaming = true;
  try {
    await stream(deps, call, { ...ask, request }, signal);
    streaming = false;
    await told(deps, gate.recordSuccess(facts.name, spentOf(call, ask)));
    if (reserved.cutBy && call.wasCut()) throw budgetExceeded(reserved.cutBy);
    const { parts, stopReason } = call.response();
    const judged = await ask.judge({ text: call.text, parts });
    const settled = { ...record(), parent: ask.parent, parts, stopReason, ...judged };
    const paid = await untilStored(() => ledger.settleModelCall(task, settled), signal);
    observeCall(deps.metrics, settled, 'completed');
    return paid;
  } catch (error) {
    const failure = signal.aborted ? stopped(signal) : await explained(deps, ask, alfredErrorOf(error), streaming);
    const { code, message, retryAfterMs, details } = failure;
    observeCall(deps.metrics, record(), code);
    const mayRetry = !signal.aborted || isShutdown(signal);
    const failures = await ledger
      .failModelCall(task, { ...record(), code, message, mayRetry })
      .catch((unwritten: unknown) => {
        log.error({ err: unwritten, taskId: task.taskId, step: at.step }, 'a failed model call could not be recorded');
        return undefined;
      });
    throw new AlfredError(code, message, { retryAfterMs, failures, details, cause: failure.cause ?? error });
  }
}

/** @returns what the step has paid for, when the gate is closed and it has; a paid answer needs no provider */
async function enter({ gate, ledger, metrics }: AskDeps, { task, at, purpose, facts, estimatedTokens }: Ask) {
  const entry = await gate.enter(facts, estimatedTokens);
  if (entry.open) return undefined;
  const paid = await ledger.findPaidCall(task, at.step, purpose);
  if (paid) return paid;
  if (entry.reason === 'outage') throw outage(facts);
  metrics.modelRateLimited.inc({ model: facts.name });
  const seconds = Math.ceil(entry.retryAfterMs / 1_000);
  throw new AlfredError('model_rate_limited', `${facts.name} is at its limit for another ${seconds} s.`, {
    retryAfterMs: entry.retryAfterMs,
  });
}

export const outage = ({ name: model }: Pick<ModelFacts, 'name'>, cause?: unknown) =>
  new AlfredError('model_outage', `${model} does not answer; its circuit is open.`, {
    details: { reason: 'outage', model },
    cause,
  });

/** Tells the gate what a failure means for everybody; while the circuit is open a failure is the provider's, not the task's. */
async function explained(deps: AskDeps, { facts }: Ask, error: AlfredError, streaming: boolean): Promise<AlfredError> {
  if (!streaming) return error;
  if (error.code === 'model_rate_limited') await told(deps, deps.gate.recordRateLimit(facts.name, error.retryAfterMs ?? 5_000));
  if (error.code !== 'model_unavailable') return error;
  return (await told(deps, deps.gate.recordFailure(facts.name))) ? outage(facts, error.cause ?? error) : error;
}

/** What the gate cannot be told costs no answer. */
const told = <T>({ log }: AskDeps, telling: Promise<T>): Promise<T | undefined> =>
  telling.catch((error: unknown) => {
    log.warn({ err: error }, 'the state of a model could not be shared');
    return undefined;
  });

const spentOf = (call: RunningCall, { estimatedTokens }: Ask) => ({
  tokens: totalTokens({ ...noUsage, ...call.record().usage }),
  estimated: estimatedTokens,
  limits: call.limits,
});

const stopped = (signal: AbortSignal) =>
  isShutdown(signal)
    ? new AlfredError('draining', 'The worker shuts down.')
    : new AlfredError('superseded', 'The call was stopped.');

/** How long a paid response is held for a database that is away, in milliseconds; the activity's own limit is longer. */
const holdMs = 10 * 60_000;

/** Stores what has been paid for: a database that is away for a moment must not cost the same answer twice. */
async function untilStored<T>(store: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const begun = performance.now();
  while (true) {
    try {
      return await store();
    } catch (error) {
      if (!isDatabaseUnavailable(error) || signal.aborted || performance.now() - begun > holdMs) throw error;
      await sleep(1_000);
    }
  }
}

/** Takes the provider's events; the text of a turn goes to whoever follows the task. */
async function stream(
  { events, log }: AskDeps,
  call: RunningCall,
  { task, at, purpose, provider, request }: Ask,
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
      call.take(event);
      if (event.type === 'text' && purpose === 'turn') writer.write(event.text);
    }
  } catch (error) {
    // A provider says in its own words that it was stopped.
    superseded.signal.throwIfAborted();
    throw error;
  } finally {
    either.release();
    await writer.close();
  }
  superseded.signal.throwIfAborted();
}
