import { wilson } from '../eval/measures.ts';
import { table } from '../terminal/terminal.ts';
import type { CaseResult } from './run-case.ts';

export type ModelScore = { model: string; results: CaseResult[] };

/** The cases below each other, with a column a model; below them how many passed, with a 95 % interval. */
export function scoreTable(scores: readonly ModelScore[]): string {
  const names = scores[0]?.results.map(({ name }) => name) ?? [];
  const rows = names.map((name, i) => [name, ...scores.map(({ results }) => markOf(results[i]))]);
  return table([
    ['CASE', ...scores.map(({ model }) => model)],
    ...rows,
    ['passed', ...scores.map(({ results }) => shareOf(results))],
    ['cost', ...scores.map(({ results }) => `$${sum(results, 'costUsd').toFixed(4)}`)],
    ['model calls', ...scores.map(({ results }) => String(sum(results, 'modelCalls')))],
    ['seconds a case', ...scores.map(({ results }) => (sum(results, 'seconds') / (results.length || 1)).toFixed(1))],
  ]);
}

const markOf = (result: CaseResult | undefined) => (result?.faults.length === 0 ? 'ok' : 'FAILED');
const sum = (results: readonly CaseResult[], field: 'costUsd' | 'modelCalls' | 'seconds') =>
  results.reduce((total, result) => total + result[field], 0);

function shareOf(results: readonly CaseResult[]): string {
  const passed = results.filter(({ faults }) => faults.length === 0).length;
  const { low, high } = wilson(passed, results.length);
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return `${passed} of ${results.length} (${percent(low)} to ${percent(high)})`;
}

/** What failed, a line each, for a person who reads on. */
export const faultLines = (scores: readonly ModelScore[]): string[] =>
  scores.flatMap(({ model, results }) =>
    results.flatMap(({ name, faults, taskId }) =>
      faults.map((fault) => `${name} (${model}): ${fault}${taskId ? `  alfred tasks events ${taskId}` : ''}`),
    ),
  );
