import { Worker } from '@temporalio/worker';
import proto from '@temporalio/proto';
import type { Edge } from '../../runtime/edge.ts';
import { workflowBundle } from '../../workers/bundle.ts';

export type RunHistory = Awaited<ReturnType<typeof fetchHistories>>[number];

/** Fetches the history of every run of a workflow, the newest first. */
export async function fetchHistories({ client }: Pick<Edge, 'client'>, workflowId: string) {
  const runs = [];
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const bytes = proto.temporal.api.history.v1.History.encode(history).finish().length;
    runs.push({ workflowId, history, bytes, events: history.events?.length ?? 0 });
  }
  return runs;
}

/**
 * @returns how many replayed, and the duration in seconds
 * @throws for the first that does not replay
 */
export async function replayHistories({ config, log }: Pick<Edge, 'config' | 'log'>, runs: RunHistory[]) {
  const bundle = await workflowBundle(config, log);
  const startedAtMs = performance.now();
  let replayed = 0;
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: bundle }, runs)) {
    if (error) throw error;
    replayed++;
  }
  return { replayed, seconds: (performance.now() - startedAtMs) / 1_000 };
}
