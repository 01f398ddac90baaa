import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';
import { StepFailure } from '../step-failure.ts';

/**
 * Waits until a started server answers, by repeated attempts.
 *
 * @param ready resolves when the server answers; a rejection other than a StepFailure means "not yet"
 * @throws StepFailure with the last lines of the server's log when it ends first or does not answer in time
 */
export async function waitUntil(
  child: Child,
  ready: () => Promise<unknown>,
  { timeoutMs = 60_000, everyMs = 25 } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    if (child.hasEnded()) throw serverFailure(child, `ended at its start (${await child.ended})`);
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
  throw serverFailure(child, `did not answer within ${timeoutMs / 1_000} s (${detail})`);
}

/** A failure of a server that we started, with the last lines of its log. */
export const serverFailure = (child: Child, what: string) =>
  new StepFailure(`${child.name} ${what}. Its last words:\n${child.lastLines()}`, [
    `its whole log is ${child.logFile}`,
  ]);
