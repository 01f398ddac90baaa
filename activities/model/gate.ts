import { AlfredError } from '../../contract/errors.ts';
import type { Ledger, ModelFacts, ModelGate, PaidCall, Purpose } from '../../contract/ports/index.ts';
import { noUsage, totalTokens, type TaskRef } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { waitForEarlierAttempts, type EarlierAttemptsDeps } from './earlier-attempts.ts';
import type { RunningCall } from './running-call.ts';

type GateDeps = EarlierAttemptsDeps & {
  ledger: Pick<Ledger, 'findPaidCall' | 'countFailures'>;
  gate: ModelGate;
  metrics: Pick<Metrics, 'modelRateLimited'>;
};
type GatedCall = {
  task: TaskRef;
  at: { step: number; attempt: number };
  purpose: Purpose;
  facts: ModelFacts;
  estimatedTokens: number;
};

/**
 * Passes the gate of a model, and begins a call. What the call has taken from the gate is given back when `begin` does
 * not begin it.
 *
 * @param begin returns undefined when the call has begun
 * @returns what `begin` returns; the stored response, if the gate is closed and the step is paid for: that needs no
 *   provider
 */
export async function throughGate(
  deps: GateDeps,
  modelCall: GatedCall,
  signal: AbortSignal,
  begin: () => Promise<PaidCall | 'running' | undefined>,
): Promise<PaidCall | 'running' | undefined> {
  const { facts, estimatedTokens } = modelCall;
  const entry = await deps.gate.enter(facts, estimatedTokens);
  if (!entry.open) return refuse(deps, modelCall, signal, entry);
  let hasBegun = false;
  try {
    const begun = await begin();
    hasBegun = begun === undefined;
    return begun;
  } finally {
    if (!hasBegun && entry.taken) await ignoreGateFailure(deps, deps.gate.leave(facts.name, entry.taken));
  }
}

type Refusal = Exclude<Awaited<ReturnType<ModelGate['enter']>>, { open: true }>;

/** @returns the stored response, if there is one */
async function refuse(deps: GateDeps, modelCall: GatedCall, signal: AbortSignal, entry: Refusal): Promise<PaidCall> {
  const { ledger, metrics } = deps;
  const { task, at, purpose, facts } = modelCall;
  // Other attempts have waited already.
  if (at.attempt === 1) await waitForEarlierAttempts(deps, modelCall, signal);
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

/** @param error what the provider answered; without it no call was made. Its words say what a person has to mend. */
export const outage = ({ name: model }: Pick<ModelFacts, 'name'>, error?: AlfredError, because?: 'auth') => {
  const details = { reason: 'outage' as const, model, ...(because ? { because } : {}) };
  const message = error?.message ?? `${model} is not asked: its last calls failed, and its circuit is open.`;
  return new AlfredError('model_outage', message, { details, cause: error?.cause ?? error });
};

/**
 * Reports a provider's failure to the gate, which all workers share. While the circuit is open the failure becomes an
 * outage, for which the task waits instead of failing.
 */
export async function withCircuitState(
  deps: GateDeps,
  { task, at, purpose, facts }: GatedCall,
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
  if (error.code === 'model_denied') {
    const recordDenial = async () =>
      deps.gate.recordDenial(
        facts.name,
        1 + (await deps.ledger.countFailures(task, { ...at, purpose, of: facts.name }, error.code)),
      );
    return (await ignoreGateFailure(deps, recordDenial())) ? outage(facts, error, 'auth') : error;
  }
  if (error.code !== 'model_unavailable') return error;
  const isOpen = await ignoreGateFailure(deps, deps.gate.recordFailure(facts.name));
  return isOpen ? outage(facts, error) : error;
}

/** A failure of the gate is logged and never fails the call. */
export const ignoreGateFailure = <T>({ log }: Pick<GateDeps, 'log'>, report: Promise<T>): Promise<T | undefined> =>
  report.catch((error: unknown) => {
    log.warn({ err: error }, 'the state of a model could not be shared');
    return undefined;
  });

export const gateUsageOf = (running: RunningCall, { estimatedTokens }: Pick<GatedCall, 'estimatedTokens'>) => ({
  tokens: totalTokens({ ...noUsage, ...running.record().usage }),
  estimated: estimatedTokens,
  limits: running.limits,
});
