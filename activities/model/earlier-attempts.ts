import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLeases, Ledger, Purpose, Workflows } from '../../contract/ports/index.ts';
import type { TaskRef } from '../../contract/references.ts';
import type { Logger } from '../../runtime/logger.ts';

export type EarlierAttemptsDeps = {
  ledger: Pick<Ledger, 'listOpenCalls' | 'writeOffOpenCalls'>;
  leases: CallLeases;
  workflows: Pick<Workflows, 'forgetWorker'>;
  log: Logger;
};

/** From one look at the leases to the next, in milliseconds. */
const pollMs = 250;
/**
 * An attempt is gone when its lease was free for so long, in milliseconds. Not at once: a process that lost its
 * connection takes its leases again within this time.
 */
const goneAfterMs = 1_000;
/** How long to wait while the leases cannot be read, in milliseconds. */
const unknownForMs = 60_000;
/** How long the end of a task waits for its interrupted calls, in milliseconds. */
const endWaitMs = 8_000;

/**
 * Waits until no other attempt at the same call runs any more. Temporal starts the next attempt when it heard nothing
 * of the one before for some seconds. That attempt may still run, and its answer is paid. The number of the attempt
 * does not tell whether there is another one: it begins at 1 again after a wait of the task.
 *
 * @returns the open calls whose attempts are gone
 */
export async function waitForEarlierAttempts(
  { ledger, leases, workflows, log }: EarlierAttemptsDeps,
  { task, at, purpose }: { task: TaskRef; at: { step: number }; purpose: Purpose },
  signal: AbortSignal,
): Promise<string[]> {
  const judge = createLeaseJudge();
  while (true) {
    signal.throwIfAborted();
    const callIds = await ledger.listOpenCalls(task, { step: at.step, purpose });
    if (callIds.length === 0) return [];
    const verdict = judge(await leases.stateOf(callIds), performance.now());
    if (verdict === 'unknowable')
      log.warn({ taskId: task.taskId, step: at.step }, 'it is not known whether an earlier model call still runs');
    if (verdict === 'gone') await forgetWorker(workflows, task, log);
    if (verdict !== 'runs') return callIds;
    await sleep(pollMs, undefined, { signal });
  }
}

const forgetWorker = (workflows: EarlierAttemptsDeps['workflows'], { taskId }: TaskRef, log: Logger) =>
  workflows.forgetWorker(taskId).catch((error: unknown) => {
    log.warn({ err: error, taskId }, 'the dead worker of a task could not be forgotten');
  });

/**
 * Waits until the calls of an ending task are in the ledger, so that the reported usage is final. The calls of dead
 * workers count with their worst case. A call that does not stop in time is counted later.
 */
export async function waitForInterruptedCalls(
  { ledger, leases }: Pick<EarlierAttemptsDeps, 'ledger' | 'leases'>,
  task: TaskRef,
): Promise<void> {
  const startedAt = performance.now();
  const judge = createLeaseJudge();
  while (performance.now() - startedAt < endWaitMs) {
    const callIds = await ledger.listOpenCalls(task);
    if (callIds.length === 0) return;
    const verdict = judge(await leases.stateOf(callIds), performance.now());
    if (verdict === 'gone') return ledger.writeOffOpenCalls(task);
    await sleep(pollMs / 5);
  }
}

/** Judges from successive states of the leases whether the attempts are gone. Times are in milliseconds. */
export function createLeaseJudge() {
  let unleasedSince: number | undefined;
  let uncertainSince: number | undefined;
  return (state: Awaited<ReturnType<CallLeases['stateOf']>>, nowMs: number): 'runs' | 'gone' | 'unknowable' => {
    const isUnleased = state === 'free' || state === 'unsettled';
    unleasedSince = isUnleased ? (unleasedSince ?? nowMs) : undefined;
    if (state === 'free' && unleasedSince !== undefined && nowMs - unleasedSince >= goneAfterMs) return 'gone';
    uncertainSince = state === 'leased' ? undefined : (uncertainSince ?? nowMs);
    return uncertainSince !== undefined && nowMs - uncertainSince > unknownForMs ? 'unknowable' : 'runs';
  };
}
