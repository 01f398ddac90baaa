import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { TaskStatus } from '../../contract/task.ts';
import { usageError } from '../cli-error.ts';

const texts = z.array(z.string().min(1));
const pattern = z.string().refine((text) => canCompile(text), 'is no regular expression');

/** What must be true of a case's end. Every one that is given counts. */
const Checks = z.strictObject({
  status: TaskStatus.default('completed'),
  error: z.string().optional().describe('the code with which the task fails; goes with "status": "failed"'),
  contains: texts.optional(),
  notContains: texts.optional(),
  matches: z.array(pattern).optional(),
  data: z.json().optional().describe('fields of `data`, with exactly these values; others may stand beside them'),
  cites: texts.optional().describe('documents, as their names end'),
  tools: z
    .array(z.strictObject({ name: z.string(), arguments: z.record(z.string(), z.json()).optional() }))
    .optional()
    .describe('every call, in order; of its arguments only those that are given'),
  effects: texts.optional().describe('tools whose calls took effect, in order'),
  maxCostUsd: z.number().nonnegative().optional(),
  maxSteps: z.int().positive().optional(),
  maxSeconds: z.number().positive().optional(),
  judge: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .optional()
    .describe('a criterion in words, which a model holds the answer against'),
});
export type Checks = z.infer<typeof Checks>;

const EvalCase = z.strictObject({
  name: z.string().min(1).optional(),
  input: z.record(z.string(), z.json()),
  approvals: z.enum(['approve', 'deny']).default('approve').describe('what a person says to each call that asks'),
  results: z
    .record(z.string(), z.json())
    .optional()
    .describe('by tool that acts, the output of its calls, which a test does not make'),
  checks: Checks,
});
export type EvalCase = z.infer<typeof EvalCase> & { name: string };

/**
 * Reads the cases of an agent from `evals/*.json` (a list) and `evals/*.jsonl` (a case a line).
 *
 * @param folder of the agent
 * @throws CliError that names the file and the case with the fault
 */
export async function readCases(folder: string): Promise<EvalCase[]> {
  const evals = join(folder, 'evals');
  const files = existsSync(evals) ? (await readdir(evals)).filter((name) => /\.jsonl?$/.test(name)).sort() : [];
  const cases: EvalCase[] = [];
  for (const file of files) cases.push(...parseCases(join(evals, file), await readFile(join(evals, file), 'utf8')));
  return cases;
}

function parseCases(file: string, text: string): EvalCase[] {
  const isLines = file.endsWith('l');
  const parsed = isLines
    ? text
        .split('\n')
        .filter((line) => line.trim())
        .map(parseJson)
    : parseJson(text);
  if (!Array.isArray(parsed)) throw usageError(`${file} holds no JSON list of cases.`);
  return parsed.map((value: unknown, index) => {
    const { data, error } = EvalCase.safeParse(value);
    if (!data) throw usageError(`${file}, case ${index + 1}: ${z.prettifyError(error)}`);
    return { ...data, name: data.name ?? `${basename(file)} ${index + 1}` };
  });
}

function canCompile(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
