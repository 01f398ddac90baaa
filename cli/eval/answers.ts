import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Task, TaskCitations } from '../../contract/task.ts';
import { isEnded } from '../../contract/task-status.ts';
import type { ApiClient } from '../client/api-client.ts';
import { usageError } from '../cli-error.ts';
import { untilAnswered } from '../client/until-answered.ts';

const Question = z.strictObject({
  question: z.string().trim().min(1).max(20_000),
  document: z
    .string()
    .nullable()
    .describe('Name of a document that answers it, or the end of one; null where none does'),
  fact: z.string().nullable().describe('What a right answer says, word for word; null where there is no answer'),
});
const QuestionSet = z.looseObject({ questions: z.array(Question).min(1) });
export type Question = z.infer<typeof Question>;

export type EvaluatedAnswer = Question & {
  text: string;
  /** A task that failed has neither. */
  failed?: string;
  citations: number;
  /** Whose quote stands in the document, in the version that was read. */
  validCitations: number;
  citesDocument: boolean;
  saysFact: boolean;
  /** Sentences of the answer, and those of them that carry a citation. */
  sentences: number;
  supported: number;
};

/** @throws CliError that says what is wrong with the file */
export async function readQuestions(path: string): Promise<Question[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`${path} cannot be read: ${error.code}`);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw usageError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const parsed = QuestionSet.safeParse(json);
  if (!parsed.success) throw usageError(`${path} is no set of questions: ${z.prettifyError(parsed.error)}`);
  return parsed.data.questions;
}

type Options = { agent: string; atOnce: number; say: (line: string) => void };

/** Asks an agent every question, as any program would, and looks at what comes back. */
export async function evaluateAnswers(
  api: ApiClient,
  questions: Question[],
  { agent, atOnce, say }: Options,
): Promise<EvaluatedAnswer[]> {
  const answered: EvaluatedAnswer[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < questions.length; i = next++) {
      const question = questions[i];
      if (question) answered[i] = judge(question, await ask(api, question.question, agent));
      say(`${answered.filter(Boolean).length} of ${questions.length} questions answered`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return answered;
}

async function ask(api: ApiClient, text: string, agent: string) {
  const patient = <T>(request: () => Promise<T>) => untilAnswered(request, { say: () => {}, wasThere: true });
  const headers = { 'idempotency-key': crypto.randomUUID() };
  let task = await patient(() =>
    api.call('/v1/tasks', { method: 'POST', json: { agent, input: { text } }, headers, answer: Task }),
  );
  const path = `/v1/tasks/${task.id}`;
  while (!isEnded(task.status))
    task = await patient(() => api.call(path, { headers: { prefer: 'wait=30' }, answer: Task }));
  const { citations } = await patient(() => api.call(`${path}/citations`, { answer: TaskCitations }));
  return { task, citations };
}

const squeezed = (text: string) => text.replace(/\s+/g, ' ');

const cited = /\[\d+(?:, ?\d+)*\]/;
const sentenceEnds = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Sentences with the citations behind them. */
function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  for (const { segment } of sentenceEnds.segment(text)) {
    const [, numbers = '', rest = ''] = /^((?:\s*\[\d+(?:, ?\d+)*\])*)(.*)$/s.exec(segment) ?? [];
    const last = sentences.length - 1;
    if (numbers && last >= 0) sentences[last] += numbers;
    if (/\p{L}.*\p{L}/su.test(rest)) sentences.push(rest.trim());
  }
  return sentences;
}

function judge(question: Question, { task, citations }: Awaited<ReturnType<typeof ask>>): EvaluatedAnswer {
  const text = task.result?.text ?? '';
  const sentences = sentencesOf(text);
  return {
    ...question,
    text,
    ...(task.error ? { failed: task.error.code } : {}),
    citations: citations.length,
    validCitations: citations.filter(({ state }) => state === 'unchanged').length,
    // A set names a file; where it was added from is nobody's business.
    citesDocument: citations.some(
      ({ document }) => question.document !== null && `/${document}`.endsWith(`/${question.document}`),
    ),
    saysFact: question.fact !== null && squeezed(text).includes(squeezed(question.fact)),
    sentences: sentences.length,
    supported: sentences.filter((sentence) => cited.test(sentence)).length,
  };
}

/** What the answers are worth together; each is a count, and of how many. */
export function scoresOf(answers: EvaluatedAnswer[]): Record<string, [number, number]> {
  const known = answers.filter(({ document }) => document !== null);
  const open = answers.filter(({ document }) => document === null);
  const count = (list: EvaluatedAnswer[], of: (answer: EvaluatedAnswer) => boolean | number): number =>
    list.reduce((sum, answer) => sum + Number(of(answer)), 0);
  return {
    'answered, with a citation of the right document': [count(known, (one) => one.citesDocument), known.length],
    'exact fact in the answer': [count(known, (one) => one.saysFact), known.filter(({ fact }) => fact !== null).length],
    'left open what no document answers': [count(open, (one) => !one.failed && one.citations === 0), open.length],
    'citations whose quote stands at its place': [
      count(answers, (one) => one.validCitations),
      count(answers, (one) => one.citations),
    ],
    'sentences that carry a citation, of answers that cite': [
      count(answers, (one) => (one.citations > 0 ? one.supported : 0)),
      count(answers, (one) => (one.citations > 0 ? one.sentences : 0)),
    ],
    'tasks that failed': [count(answers, (one) => one.failed !== undefined), answers.length],
  };
}
