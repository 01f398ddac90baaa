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
const endWaitMs = 5_000;

/**
 * Waits until no earlier attempt at the same call runs any more. Temporal starts the next attempt when it heard nothing
 * of the one before for some seconds. That attempt may still run, and its answer is paid.
 */
export async function waitForEarlierAttempts(
  { ledger, leases, workflows, log }: EarlierAttemptsDeps,
  { task, at, purpose }: { task: TaskRef; at: { step: number; attempt: number }; purpose: Purpose },
  signal: AbortSignal,
): Promise<void> {
  if (at.attempt === 1) return;
  let unknownSince = performance.now();
  let freeSince: number | undefined;
  while (true) {
    signal.throwIfAborted();
    const callIds = await ledger.listOpenCalls(task, { step: at.step, purpose });
    if (callIds.length === 0) return;
    const state = await leases.stateOf(callIds);
    const now = performance.now();
    if (state === 'leased') unknownSince = now;
    if (state !== 'free' && now - unknownSince > unknownForMs) {
      log.warn({ taskId: task.taskId, step: at.step }, 'it is not known whether an earlier model call still runs');
      return;
    }
    freeSince = isUnleased(state) ? (freeSince ?? now) : undefined;
    if (state === 'free' && freeSince !== undefined && now - freeSince >= goneAfterMs) break;
    await sleep(pollMs, undefined, { signal });
  }
  await workflows.forgetWorker(task.taskId).catch((error: unknown) => {
    log.warn({ err: error, taskId: task.taskId }, 'the dead worker of a task could not be forgotten');
  });
}

/**
 * Waits until the calls of an ending task are in the ledger, so that the task's usage is final when its end is reported.
 * The calls of dead workers count with their worst case. A call that does not stop in time is counted later.
 */
export async function waitForInterruptedCalls(
  { ledger, leases }: Pick<EarlierAttemptsDeps, 'ledger' | 'leases'>,
  task: TaskRef,
): Promise<void> {
  const startedAt = performance.now();
  let freeSince: number | undefined;
  while (performance.now() - startedAt < endWaitMs) {
    const callIds = await ledger.listOpenCalls(task);
    if (callIds.length === 0) return;
    const state = await leases.stateOf(callIds);
    freeSince = isUnleased(state) ? (freeSince ?? performance.now()) : undefined;
    if (state === 'free' && freeSince !== undefined && performance.now() - freeSince >= goneAfterMs)
      return void (await ledger.writeOffOpenCalls(task));
    await sleep(pollMs / 5);
  }
}

const isUnleased = (state: Awaited<ReturnType<CallLeases['stateOf']>>) => state === 'free' || state === 'unsettled';
