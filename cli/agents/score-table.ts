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
    ...(scores.some(({ results }) => results.some(({ skipped }) => skipped))
      ? [['not judged', ...scores.map(({ results }) => String(results.filter(({ skipped }) => skipped).length))]]
      : []),
    ['cost', ...scores.map(({ results }) => `$${sum(results, 'costUsd').toFixed(4)}`)],
    ...(scores.some(({ results }) => results.some(({ judgement }) => judgement))
      ? [['cost of judging', ...scores.map(({ results }) => `$${costOfJudging(results).toFixed(4)}`)]]
      : []),
    ['model calls', ...scores.map(({ results }) => String(sum(results, 'modelCalls')))],
    [
      'seconds a case',
      ...scores.map(({ results }) => (sum(results, 'seconds') / (run(results).length || 1)).toFixed(1)),
    ],
  ]);
}

function markOf(result: CaseResult | undefined): string {
  if (result?.skipped) return 'not judged';
  return result?.faults.length === 0 ? 'ok' : 'FAILED';
}

const run = (results: readonly CaseResult[]) => results.filter(({ skipped }) => !skipped);
const costOfJudging = (results: readonly CaseResult[]) =>
  results.reduce((total, { judgement }) => total + (judgement?.costUsd ?? 0), 0);
const sum = (results: readonly CaseResult[], field: 'costUsd' | 'modelCalls' | 'seconds') =>
  results.reduce((total, result) => total + result[field], 0);

function shareOf(results: readonly CaseResult[]): string {
  const counted = run(results);
  const passed = counted.filter(({ faults }) => faults.length === 0).length;
  const { low, high } = wilson(passed, counted.length);
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return `${passed} of ${counted.length} (${percent(low)} to ${percent(high)})`;
}

/** What failed, a line each, for a person who reads on. */
export const faultLines = (scores: readonly ModelScore[]): string[] =>
  scores.flatMap(({ model, results }) =>
    results.flatMap(({ name, faults, taskId }) =>
      faults.map((fault) => `${name} (${model}): ${fault}${taskId ? `  alfred tasks events ${taskId}` : ''}`),
    ),
  );
