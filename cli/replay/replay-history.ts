import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { divergenceOf } from './divergence.ts';
import { historyBytes, type History } from './history-file.ts';

export type Replay = { events: number; bytes: number; durationMs: number } & (
  { isSame: true } | { isSame: false; divergence: string }
);

let isQuiet = false;

/**
 * Runs the code in the bundle against a recorded history. The code must ask for the same things in the same order.
 *
 * @returns the first divergence in words when it does not
 */
export async function replayHistory(
  bundle: WorkflowBundle,
  history: History,
  workflowId = 'replayed',
): Promise<Replay> {
  if (!isQuiet) {
    isQuiet = true;
    // The divergence is told by us; the SDK would log it as well. A test may have installed its own runtime.
    try {
      Runtime.install({
        logger: new DefaultLogger('ERROR', () => {}),
        telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
      });
    } catch {
      // Installed already: then its logger stays.
    }
  }
  const begun = performance.now();
  const facts = () => ({
    events: history.events?.length ?? 0,
    bytes: historyBytes(history),
    durationMs: performance.now() - begun,
  });
  try {
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
    return { ...facts(), isSame: true };
  } catch (error) {
    return { ...facts(), isSame: false, divergence: divergenceOf(error, history) };
  }
}
