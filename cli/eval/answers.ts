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
  /** The error code, when the task failed. */
  failed?: string;
  citations: number;
  /** Citations whose quote is in the document, in the version that the agent has read. */
  validCitations: number;
  citesDocument: boolean;
  saysFact: boolean;
  sentences: number;
  /** Sentences with a citation. */
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

type Options = { agent: string; atOnce: number; onProgress: (line: string) => void };

/** Asks an agent every question over the API, `atOnce` at a time, and evaluates the answers. */
export async function evaluateAnswers(
  api: ApiClient,
  questions: Question[],
  { agent, atOnce, onProgress }: Options,
): Promise<EvaluatedAnswer[]> {
  const answered: EvaluatedAnswer[] = [];
  let next = 0;
  const askNext = async () => {
    for (let i = next++; i < questions.length; i = next++) {
      const question = questions[i];
      if (question) answered[i] = evaluateAnswer(question, await ask(api, question.question, agent));
      onProgress(`${answered.filter(Boolean).length} of ${questions.length} questions answered`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askNext));
  return answered;
}

async function ask(api: ApiClient, text: string, agent: string) {
  const call = <T>(request: () => Promise<T>) => untilAnswered(request, { notify: () => {}, hasAnsweredBefore: true });
  const headers = { 'idempotency-key': crypto.randomUUID() };
  let task = await call(() =>
    api.call('/v1/tasks', { method: 'POST', json: { agent, input: { text } }, headers, answer: Task }),
  );
  const path = `/v1/tasks/${task.id}`;
  while (!isEnded(task.status))
    task = await call(() => api.call(path, { headers: { prefer: 'wait=30' }, answer: Task }));
  const { citations } = await call(() => api.call(`${path}/citations`, { answer: TaskCitations }));
  return { task, citations };
}

const collapseSpaces = (text: string) => text.replace(/\s+/g, ' ');

const citationPattern = /\[\d+(?:, ?\d+)*\]/;
const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Splits into sentences. Citations after the full stop belong to the sentence before it. */
function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  for (const { segment } of sentenceSegmenter.segment(text)) {
    const [, numbers = '', rest = ''] = /^((?:\s*\[\d+(?:, ?\d+)*\])*)(.*)$/s.exec(segment) ?? [];
    const last = sentences.length - 1;
    if (numbers && last >= 0) sentences[last] += numbers;
    if (/\p{L}.*\p{L}/su.test(rest)) sentences.push(rest.trim());
  }
  return sentences;
}

function evaluateAnswer(question: Question, { task, citations }: Awaited<ReturnType<typeof ask>>): EvaluatedAnswer {
  const text = task.result?.text ?? '';
  const sentences = splitSentences(text);
  return {
    ...question,
    text,
    ...(task.error ? { failed: task.error.code } : {}),
    citations: citations.length,
    validCitations: citations.filter(({ state }) => state === 'unchanged').length,
    // The question names a file. The document's name may have folders before it.
    citesDocument: citations.some(
      ({ document }) => question.document !== null && `/${document}`.endsWith(`/${question.document}`),
    ),
    saysFact: question.fact !== null && collapseSpaces(text).includes(collapseSpaces(question.fact)),
    sentences: sentences.length,
    supported: sentences.filter((sentence) => citationPattern.test(sentence)).length,
  };
}

/** Each score is a count, and the number that it is out of. */
export function scoreAnswers(answers: EvaluatedAnswer[]): Record<string, [number, number]> {
  const answerable = answers.filter(({ document }) => document !== null);
  const unanswerable = answers.filter(({ document }) => document === null);
  const count = (list: EvaluatedAnswer[], of: (answer: EvaluatedAnswer) => boolean | number): number =>
    list.reduce((sum, answer) => sum + Number(of(answer)), 0);
  return {
    'answered, with a citation of the right document': [
      count(answerable, (answer) => answer.citesDocument),
      answerable.length,
    ],
    'exact fact in the answer': [
      count(answerable, (answer) => answer.saysFact),
      answerable.filter(({ fact }) => fact !== null).length,
    ],
    'left open what no document answers': [
      count(unanswerable, (answer) => !answer.failed && answer.citations === 0),
      unanswerable.length,
    ],
    'citations whose quote stands at its place': [
      count(answers, (answer) => answer.validCitations),
      count(answers, (answer) => answer.citations),
    ],
    'sentences that carry a citation, of answers that cite': [
      count(answers, (answer) => (answer.citations > 0 ? answer.supported : 0)),
      count(answers, (answer) => (answer.citations > 0 ? answer.sentences : 0)),
    ],
    'tasks that failed': [count(answers, (answer) => answer.failed !== undefined), answers.length],
  };
}
