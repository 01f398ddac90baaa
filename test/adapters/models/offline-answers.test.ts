import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../../wiring/adapters.ts';
import { createTools } from '../../../agents/tools/index.ts';
import { createOfflineProvider } from '../../../adapters/models/offline.ts';
import { citationsOf, numberPassages } from '../../../activities/context/citations.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { createPolicyEnvironment } from '../../support/documents/policy-environment.ts';
import { local } from '../../support/documents/put-document.ts';

type Question = { question: string; document: string | null; fact: string | null };
const { questions } = JSON.parse(
  await readFile(new URL('../../evaluation/policies.json', import.meta.url), 'utf8'),
) as {
  questions: Question[];
};

let env: Awaited<ReturnType<typeof createPolicyEnvironment>>;
let adapters: Adapters;
beforeAll(async () => {
  env = await createPolicyEnvironment();
  adapters = env.adapters;
}, 60_000);
afterAll(() => env?.close());

/** The offline provider's answer to a question, after its search. */
async function answer(question: string) {
  const provider = createOfflineProvider({ firstTokenMs: 0, tokensPerS: 0 });
  const signal = AbortSignal.timeout(30_000);
  const tool = createTools(env.config, adapters)['search_documents'];
  if (!tool) throw new Error('the search is a tool');
  const context = { scope: local, taskId: 't', receiptKey: 't/1/c', signal, beforeSend: async () => {} };
  const { output } = await tool.run({ query: question }, context);
  const messages: Message[] = numberPassages([
    { role: 'user', text: question },
    { role: 'assistant', parts: [{ type: 'tool_call', callId: 'c', tool: 'search_documents', arguments: {} }] },
    { role: 'tool', results: [{ callId: 'c', tool: 'search_documents', output: output, isError: false }] },
  ]);
  let text = '';
  for await (const event of provider.stream(
    { model: 'quote', instructions: '', messages, tools: [], maxOutputTokens: 1_000, idempotencyKey: 't/2' },
    signal,
  ))
    if (event.type === 'text') text += event.text;
  return { text, citations: citationsOf(text, messages) };
}

test('questions that the policies do not answer get “I don’t know”, and the others a verbatim quotation with its place', async () => {
  const unanswerable = questions.filter(({ document }) => document === null);
  const answerable = questions.filter(({ document }) => document !== null);
  const wronglyAnswered: string[] = [];
  for (const { question } of unanswerable)
    if (!(await answer(question)).text.startsWith('I don’t know')) wronglyAnswered.push(question);
  let correct = 0;
  let quotes = 0;
  for (const { question, document, fact } of answerable) {
    const { text, citations } = await answer(question);
    const oneLine = text.replace(/\s+/g, ' ');
    if (citations.some((citation) => citation.document === document) && oneLine.includes(fact ?? '\0')) correct++;
    for (const { documentId, start, end, quote } of citations) {
      quotes++;
      const stored = await adapters.documents.read(local, documentId);
      expect(stored?.text.slice(start, end)).toBe(quote);
    }
  }
  console.log(
    `by words alone: ${unanswerable.length - wronglyAnswered.length} of ${unanswerable.length} left open, ${correct} of ${answerable.length} answered right, ${quotes} quotations`,
  );
  expect(wronglyAnswered.length).toBeLessThanOrEqual(5);
  expect(correct).toBeGreaterThanOrEqual(30);
}, 120_000);
