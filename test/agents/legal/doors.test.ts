import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mammoth from 'mammoth';
import { legal } from '../../../agents/legal/agent.ts';
import { agentQueue } from '../../../contract/ids.ts';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import { limitTasks } from '../../../adapters/postgres/tenants/limit-work.ts';
import { startApi } from '../../api/api-harness.ts';
import { alfred } from '../../cli/run-alfred.ts';
import { createSlackHarness, type SlackHarness } from '../../slack/slack-harness.ts';
import { putLegalExamples } from '../../support/documents/put-legal-examples.ts';

let env: SlackHarness;
let api: Awaited<ReturnType<typeof startApi>>;
let ids: Record<string, string>;
beforeAll(async () => {
  env = await createSlackHarness({ SLACK_AGENT: 'legal', ALFRED_MODEL: 'offline:quote' }, { rateLimits: false });
  for (const name of legal.tools) env.useBuiltInTool(name);
  await env.serve([agentQueue('legal')]);
  ids = await putLegalExamples(env);
  // The harness has a function of this name in place of the port.
  api = await startApi({ ...env, tasks: limitTasks(env.postgres.db, createTasks(env.postgres.db), env.tenants) });
});
afterAll(async () => {
  await api?.app.close();
  await env?.close();
});

/** Every intent, as a typed request, in words, and what its answer has. */
const requests = [
  {
    input: { intent: 'COMPLIANCE_AUDIT', framework: 'gdpr', document: 'legal/privacy-policy.md' },
    words: 'Audit legal/privacy-policy.md against the GDPR',
    has: ['We keep your data indefinitely, because it helps us to improve the app.', 'Art. 13(2)(a)'],
  },
  {
    input: { intent: 'REGULATION_CHECK', framework: 'gdpr', question: 'portability' },
    words: 'What does the GDPR require about portability?',
    has: ['Art. 20', 'machine-readable'],
  },
  {
    input: { intent: 'DOCUMENT_ANALYSIS', document: 'legal/privacy-policy.md' },
    words: 'Analyse legal/privacy-policy.md',
    has: ['p…@fjordlight.example', 'phone'],
  },
  {
    input: {
      intent: 'CONTRACT_REVIEW',
      document: 'legal/analysis-service-agreement.md',
      playbook: 'legal/playbook.md',
    },
    words: 'Review legal/analysis-service-agreement.md against the playbook legal/playbook.md',
    has: ['ten (10) days', 'contract-redline.docx'],
  },
];
const notAdvice = 'This is not legal advice.';

async function askByHttp(input: object) {
  const { body: started } = await api.http.post('/v1/tasks', { agent: 'legal', input });
  await env.followToEnd(started.id);
  return (await api.http.get(`/v1/tasks/${started.id}`)).body;
}

describe.each(requests)('$input.intent', ({ input, words, has }) => {
  test('is answered over HTTP by its tool alone, with data, and without a model', async () => {
    const task = await askByHttp(input);
    expect(task.status).toBe('completed');
    for (const part of [notAdvice, ...has]) expect(task.result.text).toContain(part);
    expect(task.result.data).toBeDefined();
    expect(task.usage.costUsd).toBe(0);
  });

  test('is answered on the command line, with fields and in words', async () => {
    const environment = { ALFRED_URL: api.url, NO_COLOR: '1' };
    const typed = await alfred(['ask', '--agent', 'legal', '--input', JSON.stringify(input)], environment);
    const inWords = await alfred(['ask', '--agent', 'legal', words], environment);
    for (const { code, stdout } of [typed, inWords]) {
      expect(code).toBe(0);
      for (const part of [notAdvice, ...has]) expect(stdout).toContain(part);
    }
  });

  test('is answered in Slack', async () => {
    const user = env.slack.addUser({ name: `person-${input.intent.toLowerCase().replaceAll('_', '-')}` });
    const { id: channel } = env.slack.directMessage(user);
    const shown = await env.answersIn(channel, env.slack.say(user, channel, words).ts);
    const text = shown.map((message) => message.shown).join('\n');
    for (const part of [notAdvice, ...has]) expect(text).toContain(part);
  });
});

test('quotations are citations of the document: each stands there word for word, at its place', async () => {
  const { result } = await askByHttp(requests[0]!.input);
  const stored = await env.documents.read(env.scope, ids['legal/privacy-policy.md'] ?? '');
  expect(result.citations.length).toBeGreaterThan(3);
  for (const { quote, start, end, documentId } of result.citations) {
    expect(documentId).toBe(ids['legal/privacy-policy.md']);
    expect(stored?.text.slice(start, end)).toBe(quote);
  }
});

test('a review makes a Word file with the contract and the proposals', async () => {
  const { id, artifacts } = await askByHttp(requests[3]!.input);
  const redline = artifacts.find(({ name }: { name: string }) => name === 'contract-redline.docx');
  const response = await fetch(`${api.url}/v1/tasks/${id}/artifacts/${redline.id}`);
  const { value } = await mammoth.extractRawText({ buffer: Buffer.from(await response.arrayBuffer()) });
  // Mammoth reads the text as if every change were accepted.
  expect(value).toContain('Each invoice is due within 45 days of its date.');
  expect(value).not.toContain('ten (10) days');
});

test('a document that the asker may not read is as good as none', async () => {
  await putLegalExamples(env, []);
  const user = env.slack.addUser({ name: 'stranger' });
  const { id: channel } = env.slack.directMessage(user);
  const [shown] = await env.answersIn(channel, env.slack.say(user, channel, requests[0]!.words).ts);
  expect(shown?.shown).toContain('There is no document of the name');
  expect(shown?.shown).not.toContain('indefinitely');
});

test('a request without a document is refused with what to give', async () => {
  const { status, body } = await api.http.post('/v1/tasks', {
    agent: 'legal',
    input: { intent: 'COMPLIANCE_AUDIT', framework: 'bdsg', document: 'x' },
  });
  expect(status).toBe(422);
  expect(JSON.stringify(body)).toContain('iso27001');
});
