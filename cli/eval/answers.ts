import { Conversation, MessageReceipt } from '../../contract/conversation.ts';
import { defaultPassages, SearchResult } from '../../contract/documents.ts';
import { Task, TaskCitations } from '../../contract/task.ts';
import { isEnded } from '../../contract/task-status.ts';
import { mayBeRelated } from '../../adapters/models/offline-answer.ts';
import type { ApiClient } from '../client/api-client.ts';
import { untilAnswered } from '../client/until-answered.ts';
import type { Question } from './questions.ts';

/**
 * - `answered`: with citations.
 * - `hedged`: the offline provider quotes passages and says first that they may only be related.
 * - `left_open`: without a citation, as in “I don’t know”.
 */
type Tone = 'answered' | 'hedged' | 'left_open';

type Evaluation = {
  text: string;
  tone: Tone;
  /** The error code, when the task failed. */
  failed?: string | undefined;
  citations: number;
  /** Citations whose quote is in the document, in the version that the agent has read. */
  validCitations: number;
  citesDocument: boolean;
  /** What a search finds among the passages that an agent gets; null where earlier questions count. */
  found: { document: boolean; fact: boolean } | null;
  saysFact: boolean;
  sentences: number;
  /** Sentences with a citation. */
  supported: number;
};
export type EvaluatedAnswer = Question & Evaluation;

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
      if (question)
        answered[i] = {
          ...evaluateAnswer(question, await ask(api, question, agent)),
          found: await find(api, question),
        };
      onProgress(`${answered.filter(Boolean).length} of ${questions.length} questions answered`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askNext));
  return answered;
}

/** Repeats a request while the server does not answer. */
const call = <T>(request: () => Promise<T>) => untilAnswered(request, { notify: () => {}, hasAnsweredBefore: true });

async function ask(api: ApiClient, question: Question, agent: string) {
  const task = question.history?.length
    ? await askInConversation(api, [...question.history, question.question], agent)
    : await askAlone(api, question.question, agent);
  const { citations } = await call(() => api.call(`/v1/tasks/${task.id}/citations`, { answer: TaskCitations }));
  return { task, citations };
}

async function askAlone(api: ApiClient, text: string, agent: string): Promise<Task> {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const json = { agent, input: { text } };
  const task = await call(() => api.call('/v1/tasks', { method: 'POST', json, headers, answer: Task }));
  return ended(api, task.id);
}

/** Says one message after the other, each after the answer to the one before. @returns the task of the last one */
async function askInConversation(api: ApiClient, texts: string[], agent: string): Promise<Task> {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const create = () =>
    api.call('/v1/conversations', { method: 'POST', json: { agent }, headers, answer: Conversation });
  const { id } = await call(create);
  let task: Task | undefined;
  for (const text of texts) {
    const json = { id: crypto.randomUUID(), text };
    const send = () => api.call(`/v1/conversations/${id}/messages`, { method: 'POST', json, answer: MessageReceipt });
    const { taskId } = await call(send);
    if (taskId === null) throw new Error(`the conversation ${id} did not take the message ${json.id}`);
    task = await ended(api, taskId);
  }
  if (!task) throw new Error('a conversation needs a message');
  return task;
}

/** Waits until a task has ended. */
async function ended(api: ApiClient, id: string): Promise<Task> {
  while (true) {
    const task = await call(() => api.call(`/v1/tasks/${id}`, { headers: { prefer: 'wait=30' }, answer: Task }));
    if (isEnded(task.status)) return task;
  }
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

/** An answer by itself, without what a search finds. */
type Evaluated = Question & Omit<Evaluation, 'found'>;

/** Searches for the question as it stands, as an agent does for a question without a history. */
async function find(api: ApiClient, question: Question): Promise<EvaluatedAnswer['found']> {
  if (question.group !== 'answerable' || question.history?.length) return null;
  const json = { query: question.question, limit: defaultPassages };
  const { passages } = await call(() => api.call('/v1/search', { method: 'POST', json, answer: SearchResult }));
  const right = passages.filter(({ document }) => question.documents.some((name) => isNamed(document, name)));
  return { document: right.length > 0, fact: right.some(({ text }) => holdsFact(text, question)) };
}

const holdsFact = (text: string, { facts }: Question): boolean =>
  facts.some((fact) => collapseSpaces(text).includes(collapseSpaces(fact)));

function evaluateAnswer(question: Question, { task, citations }: Awaited<ReturnType<typeof ask>>): Evaluated {
  const text = task.result?.text ?? '';
  const sentences = splitSentences(text);
  return {
    ...question,
    text,
    tone: toneOf(text, citations.length),
    ...(task.error ? { failed: task.error.code } : {}),
    citations: citations.length,
    validCitations: citations.filter(({ state }) => state === 'unchanged').length,
    citesDocument: citations.some(({ document }) => question.documents.some((name) => isNamed(document, name))),
    saysFact: holdsFact(text, question),
    sentences: sentences.length,
    supported: sentences.filter((sentence) => citationPattern.test(sentence)).length,
  };
}

/** Whether a question's file name names a document. The document's name may have folders before it. */
const isNamed = (document: string, name: string) =>
  [name, name.replace(/\.erb$/, '')].some((ending) => `/${document}`.endsWith(`/${ending}`));

function toneOf(text: string, citations: number): Tone {
  if (citations === 0) return 'left_open';
  return text.includes(mayBeRelated) ? 'hedged' : 'answered';
}
