import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';
import { StepFailure } from '../step-failure.ts';

/**
 * Asks a started process until it answers.
 *
 * @param ready resolves when it answers; a rejection means not yet
 * @throws StepFailure with the last lines of its log when it ends first or does not answer in time
 */
export async function waitUntil(
  child: Child,
  ready: () => Promise<unknown>,
  { timeoutMs = 60_000, everyMs = 25 } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    if (child.hasEnded()) throw failure(child, `ended at its start (${await child.ended})`);
    try {
      await ready();
      return;
    } catch (error) {
      if (error instanceof StepFailure) throw error;
      last = error;
    }
    await delay(everyMs);
  }
  const detail = last instanceof Error ? last.message : String(last);
  throw failure(child, `did not answer within ${timeoutMs / 1_000} s (${detail})`);
}

/** A server of ours that is not as it should be, with its last words. */
export const failure = (child: Child, what: string) =>
  new StepFailure(`${child.name} ${what}. Its last words:\n${child.lastLines()}`, [
    `its whole log is ${child.logFile}`,
  ]);
