import { z } from 'zod';
import type { Sandbox } from '../../contract/ports/index.ts';
import { Json } from '../../contract/json-schema.ts';
import { typedTool } from './typed-tool.ts';

const Input = z.strictObject({
  program: z.string().min(1).max(50_000).describe('JavaScript. The value of its last expression is the result'),
  inputs: Json.optional().describe('Data that the program reads as `inputs`'),
});

/** More than a program may take, with those that wait before it. */
const timeoutMs = 240_000;

const description = `Calculates: runs a small JavaScript program and returns the value of its last expression. For every sum, average, percentage, conversion, date difference, table and chart.
It has no network, no files and no clock: pass data in \`inputs\`. It runs for 5 seconds at most, and nothing is kept for the next program. What it has:
- Decimal (decimal.js): exact decimals, for money. new Decimal('0.10').plus('0.20').toFixed(2)
- stats (simple-statistics): stats.mean(xs), median, standardDeviation, quantile(xs, 0.9), linearRegression(pairs), sampleCorrelation(xs, ys) and more
- csv.parse(text) → objects of texts; csv.format(rows) → text
- print(…) shows a value beside the result
- file('name.csv', text) makes a file for the person: .csv, .txt, .md or .json
- chart({type: 'line' | 'bar', title, labels: […], series: [{name, values: […]}], xLabel, yLabel, stacked}), chart({type: 'pie', title, labels, values}), chart({type: 'scatter', title, series: [{name, points: [[x, y], …]}], xLabel, yLabel}) draw a picture for the person; \`name\` names its file
The person gets the files beside your answer: name them there. When the program fails, mend it and call again.`;

/** Runs programs of the model, so that no number is worked out by the model itself. */
export const runCodeTool = (sandbox: Sandbox) =>
  typedTool({
    name: 'run_code',
    description,
    input: Input,
    timeoutMs,
    async run({ program, inputs }, { scope, signal }) {
      const outcome = await sandbox.run({ code: program, inputs, tenant: scope.tenant }, signal);
      const printed = outcome.printed === '' ? {} : { printed: outcome.printed };
      if ('error' in outcome)
        return { output: { error: outcome.error, ...printed }, summary: outcome.error, isError: true };
      const { result, artifacts } = outcome;
      const files = artifacts.map(({ name }) => name);
      return {
        output: { result, ...printed, ...(files.length > 0 ? { files } : {}) },
        summary: summaryOf(JSON.stringify(result), files.length),
        artifacts,
      };
    },
  });

const shownCharacters = 80;

/** The files themselves are shown by their events: the task may not keep all of them. */
function summaryOf(result: string, files: number): string {
  const shown = result.length > shownCharacters ? `${result.slice(0, shownCharacters).toWellFormed()}…` : result;
  return `result: ${shown}${files > 0 ? `; made ${files} ${files === 1 ? 'file' : 'files'}` : ''}`;
}
