import type { JsonValue } from '../../contract/json.ts';
import type { NewArtifact } from '../../contract/artifacts.ts';
import type { Sandbox } from '../../contract/ports/index.ts';

/** A chart as programs of `run_code` draw it. */
export type Chart = {
  type: 'line' | 'bar';
  name: string;
  title: string;
  labels: readonly string[];
  series: readonly { name: string; values: readonly (string | null)[] }[];
  yLabel?: string;
};

/**
 * Draws charts as files for people, where programs draw theirs: in the sandbox.
 *
 * @returns no files when there is nothing to draw, or when the charts cannot be drawn, which `fault` says
 */
export async function drawCharts(
  sandbox: Sandbox,
  charts: readonly Chart[],
  signal: AbortSignal,
): Promise<{ artifacts: readonly NewArtifact[]; fault?: string }> {
  if (charts.length === 0) return { artifacts: [] };
  const inputs = JSON.parse(JSON.stringify(charts)) as JsonValue;
  const outcome = await sandbox.run({ code: 'inputs.forEach(chart); inputs.length', inputs }, signal);
  return 'error' in outcome ? { artifacts: [], fault: outcome.error } : { artifacts: outcome.artifacts };
}
