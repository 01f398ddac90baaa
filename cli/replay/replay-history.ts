import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { describeDivergence } from './divergence.ts';
import { historyBytes, type History } from './history-file.ts';

export type ReplayResult = { events: number; bytes: number; durationMs: number } & (
  { isSame: true } | { isSame: false; divergence: string }
);

let isRuntimeInstalled = false;

/**
 * Replays a recorded history against the workflow code in the bundle, which must issue the same commands in the same
 * order.
 *
 * @returns when it does not: a description of the first difference
 */
export async function replayHistory(
  bundle: WorkflowBundle,
  history: History,
  workflowId = 'replayed',
): Promise<ReplayResult> {
  if (!isRuntimeInstalled) {
    isRuntimeInstalled = true;
    // Keeps the SDK from logging the difference, which the result describes.
    try {
      Runtime.install({
        logger: new DefaultLogger('ERROR', () => {}),
        telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
      });
    } catch {
      // A test has installed its own runtime: its logger stays.
    }
  }
  const startedAtMs = performance.now();
  const facts = () => ({
    events: history.events?.length ?? 0,
    bytes: historyBytes(history),
    durationMs: performance.now() - startedAtMs,
  });
  try {
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
    return { ...facts(), isSame: true };
  } catch (error) {
    return { ...facts(), isSame: false, divergence: describeDivergence(error, history) };
  }
}
