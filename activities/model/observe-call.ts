import type { Usage } from '../../contract/references.ts';
import type { Metrics } from '../../runtime/metrics.ts';

type CallRecord = { provider: string; model: string; usage: Usage; durationMs: number; firstTokenMs: number | null };

/** Counts one attempt at a model call. @param outcome `completed` or the error code */
export function observeCall(
  metrics: Metrics,
  { provider, model, usage, durationMs, firstTokenMs }: CallRecord,
  outcome: string,
) {
  const labels = { provider, model };
  metrics.modelCalls.inc({ ...labels, outcome });
  metrics.modelCallDuration.observe(labels, durationMs / 1_000);
  if (firstTokenMs !== null) metrics.modelFirstToken.observe(labels, firstTokenMs / 1_000);
  metrics.modelTokens.inc({ ...labels, direction: 'input' }, usage.inputTokens);
  metrics.modelTokens.inc({ ...labels, direction: 'cache_read' }, usage.cacheReadTokens);
  metrics.modelTokens.inc({ ...labels, direction: 'cache_write' }, usage.cacheWriteTokens);
  metrics.modelTokens.inc({ ...labels, direction: 'output' }, usage.outputTokens);
  metrics.modelCost.inc(labels, usage.costUsd);
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  if (outcome === 'completed' && input > 0) metrics.modelCachedShare.observe(labels, usage.cacheReadTokens / input);
}
