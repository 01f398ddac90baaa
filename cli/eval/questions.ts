import { z } from 'zod';
import { usageError } from '../cli-error.ts';
import { readJson } from '../read-json.ts';

const text = z.string().trim().min(1).max(20_000);

/** One question of a set. */
export const Question = z.looseObject({
  question: text,
  group: z
    .enum(['answerable', 'near_miss', 'off_topic'])
    .describe('near_miss: about the documents’ subject, and they do not answer it'),
  corpus: z.string().optional().describe('Which documents it is about'),
  kind: z.string().optional(),
  history: z.array(text).max(20).optional().describe('What the person asked before, in the same conversation'),
  documents: z.array(z.string()).default([]).describe('Names of documents that answer it, or the ends of their names'),
  facts: z.array(z.string()).default([]).describe('A right answer holds one of them, word for word'),
});
export type Question = z.output<typeof Question>;

/** The form of a question in sets without groups. */
const PlainQuestion = z.strictObject({
  question: text,
  document: z
    .string()
    .nullable()
    .describe('Name of a document that answers it, or the end of one; null where none does'),
  fact: z.string().nullable().describe('What a right answer says, word for word; null where there is no answer'),
});
const PlainSet = z.looseObject({ questions: z.array(PlainQuestion).min(1) });

/**
 * Reads a set of questions: a list with groups, or `{"questions": …}` without.
 *
 * @param corpus only the questions about these documents
 * @throws CliError that says what is wrong with the file
 */
export async function readQuestions(path: string, corpus?: string): Promise<Question[]> {
  const json = await readJson(path);
  const questions = Array.isArray(json) ? parse(z.array(Question).min(1), json, path) : plainQuestions(json, path);
  const chosen = questions.filter((question) => corpus === undefined || question.corpus === corpus);
  if (chosen.length > 0) return chosen;
  const names = [...new Set(questions.map((question) => question.corpus ?? '(none)'))];
  throw usageError(`${path} has no questions about the corpus ${corpus}; it has ${names.join(', ')}.`);
}

const plainQuestions = (json: unknown, path: string): Question[] =>
  parse(PlainSet, json, path).questions.map(({ question, document, fact }) => ({
    question,
    group: document === null ? 'off_topic' : 'answerable',
    documents: document === null ? [] : [document],
    facts: fact === null ? [] : [fact],
  }));

function parse<T extends z.ZodType>(schema: T, json: unknown, path: string): z.output<T> {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw usageError(`${path} is no set of questions: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
