import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseJson } from '../../contract/json.ts';
import { usageError } from '../cli-error.ts';
import type { EvaluatedAnswer } from './answers.ts';
import { Question } from './questions.ts';

/** What `alfred eval answers --json` prints. */
const Answers = z.array(
  Question.extend({
    text: z.string(),
    tone: z.enum(['answered', 'hedged', 'left_open']),
    failed: z.string().optional(),
    citations: z.int(),
    validCitations: z.int(),
    citesDocument: z.boolean(),
    found: z.object({ document: z.boolean(), fact: z.boolean() }).nullable().default(null),
    saysFact: z.boolean(),
    sentences: z.int(),
    supported: z.int(),
  }),
);

/** @throws CliError when the file cannot be read or is not what `--json` prints */
export async function readAnswers(path: string): Promise<EvaluatedAnswer[]> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${path} cannot be read: ${error.code}`);
  });
  const parsed = Answers.safeParse(parseJson(content));
  if (parsed.success) return parsed.data;
  throw usageError(`${path} is not what \`alfred eval answers --json\` prints: ${z.prettifyError(parsed.error)}`);
}
