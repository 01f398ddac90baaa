import type { TaskEvents } from '../activities/ports.ts';
import type { Scope } from '../contract/references.ts';

/** Follows a task until it ends, the time is over or `stop` fires; returns then, whichever came first. */
export async function waitForEnd(
  events: TaskEvents,
  {
    scope,
    taskId,
    after,
    timeoutMs,
    stop,
  }: { scope: Scope; taskId: string; after: number; timeoutMs: number; stop: AbortSignal },
): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  for await (const _ of events.follow(scope, taskId, after, signal));
}
