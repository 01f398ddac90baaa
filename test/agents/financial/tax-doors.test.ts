import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTasks } from '../../../adapters/postgres/tasks/tasks.ts';
import { limitTasks } from '../../../adapters/postgres/tenants/limit-work.ts';
import { alfred as alfredAgent } from '../../../agents/alfred/agent.ts';
import { agentQueue } from '../../../contract/ids.ts';
import { startApi } from '../../api/api-harness.ts';
import { alfred } from '../../cli/run-alfred.ts';
import { createSlackHarness, type SlackHarness } from '../../slack/slack-harness.ts';
import { putFile } from '../../support/documents/put-file.ts';

const examples = new URL('../../../docs/examples/financial/', import.meta.url);

let env: SlackHarness;
let api: Awaited<ReturnType<typeof startApi>>;
beforeAll(async () => {
  env = await createSlackHarness({ SLACK_AGENT: 'financial', ALFRED_MODEL: 'offline:quote' }, { rateLimits: false });
  const tools = ['calculate_tax', 'show_rates', 'analyse_statements', 'check_transactions', ...alfredAgent.tools];
  for (const name of tools) env.useBuiltInTool(name);
  for (const name of ['statements.csv', 'payments.csv'])
    await putFile(env, { name, bytes: await readFile(new URL(name, examples)) }, { readers: ['everyone'] });
  await env.serve([agentQueue('financial'), agentQueue('alfred')]);
  // The harness has a function of this name in place of the port.
  api = await startApi({ ...env, tasks: limitTasks(env.postgres.db, createTasks(env.postgres.db), env.tenants) });
});
afterAll(async () => {
  await api?.app.close();
  await env?.close();
});

/** Each intent, as a typed request, in words, and what its answer has. */
const requests = [
  {
    input: { intent: 'TAX_CALCULATION', places: ['us-ca', 'us-tx'], year: '2025', income: 180_000 },
    words: 'What tax on 180,000 USD single in California and Texas, 2025?',
    has: ['60,450.18', '45,795.20', 'Not included: AMT', 'not tax advice'],
  },
  {
    input: { intent: 'RATE_SHEET_LOOKUP', places: ['ie'], year: '2025' },
    words: 'Which tax bands and rates apply in Ireland in 2025?',
    has: ['44,000', '27,382', 'Finance Act 2024'],
  },
  {
    input: { intent: 'FINANCIAL_ANALYSIS', statements: [{ document: 'statements.csv' }] },
    words: 'Analyse statements.csv',
    has: ['71.6 days', '1010000 [statements.csv!D18]', 'balance-does-not-balance', 'revenue-and-profit.svg'],
  },
  {
    input: { intent: 'TAX_COMPLIANCE_CHECK', transactions: [{ document: 'payments.csv' }], place: 'de' },
    words: 'Check payments.csv against the rules of Germany',
    has: ['11 rows checked against the rules of Germany', 'PK-2041, PK2041', 'Geldwäschegesetz', 'findings.csv'],
  },
];

async function askByHttp(input: object) {
  const { body: started } = await api.http.post('/v1/tasks', { agent: 'financial', input });
  await env.followToEnd(started.id);
  return { id: started.id, ...(await api.http.get(`/v1/tasks/${started.id}`)).body };
}

describe.each(requests)('$input.intent', ({ input, words, has }) => {
  test('is answered over HTTP by its tool alone, with data, and costs nothing', async () => {
    const task = await askByHttp(input);
    expect(task).toMatchObject({ status: 'completed', usage: { costUsd: 0 }, result: { data: expect.anything() } });
    for (const part of has) expect(task.result.text).toContain(part);
  });

  test('is answered on the command line, with fields and in words', async () => {
    const environment = { ALFRED_URL: api.url, NO_COLOR: '1' };
    const typed = await alfred(['ask', '--agent', 'financial', '--input', JSON.stringify(input)], environment);
    const inWords = await alfred(['ask', '--agent', 'financial', words], environment);
    for (const { code, stdout } of [typed, inWords]) {
      expect(code).toBe(0);
      for (const part of has) expect(stdout).toContain(part);
    }
  });

  test('is answered in Slack', async () => {
    const user = env.slack.addUser({ name: `person-${input.intent.toLowerCase().replaceAll('_', '-')}` });
    const { id: channel } = env.slack.directMessage(user);
    const shown = await env.answersIn(channel, env.slack.say(user, channel, words).ts);
    const text = shown.map((message) => message.shown).join('\n');
    for (const part of has) expect(text).toContain(part);
  });
});

test('the data of a calculation has its lines as texts, which add up', async () => {
  const { result } = await askByHttp({ ...requests[0]!.input, places: ['us-ca'] });
  const [california] = result.data;
  expect(california).toMatchObject({
    place: 'us-ca',
    year: '2025',
    currency: 'USD',
    total: '60450.18',
    net: '119549.82',
  });
  const cents = (text: string) => Math.round(Number(text) * 100);
  for (const { parts, amount } of california.levies)
    expect(parts.reduce((sum: number, part: { amount: string }) => sum + cents(part.amount), 0)).toBe(cents(amount));
});

test('tables and charts of an analysis are files of its task', async () => {
  const { id } = await askByHttp(requests[2]!.input);
  const { body } = await api.http.get(`/v1/tasks/${id}/artifacts`);
  expect(body.artifacts.map(({ name, mediaType }: Record<string, string>) => `${name} ${mediaType}`)).toEqual([
    'ratios.csv text/csv',
    'figures.csv text/csv',
    'anomalies.csv text/csv',
    'analysis.json application/json',
    'revenue-and-profit.svg image/svg+xml',
    'margins.svg image/svg+xml',
    'cash.svg image/svg+xml',
  ]);
});

test('a document is read with the rights of who asks', async () => {
  const bytes = new TextEncoder().encode('item,2024\nRevenue,5\n');
  await putFile(env, { name: 'secret.csv', bytes }, { scope: { tenant: 'local', subject: 'ann' }, readers: [] });
  const { result } = await askByHttp({ intent: 'FINANCIAL_ANALYSIS', statements: [{ document: 'secret.csv' }] });
  expect(result.text).toContain('that you may read');
});

test('an unknown year is told with those that there are, and a place that is no place is refused at the door', async () => {
  const { result } = await askByHttp({ ...requests[0]!.input, year: '2019' });
  expect(result.text).toContain('The tax year 2019 is not known. California has 2024, 2025.');
  const refused = await api.http.post('/v1/tasks', {
    agent: 'financial',
    input: { intent: 'TAX_CALCULATION', places: ['atlantis'], income: 1 },
  });
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([422, expect.stringContaining('us-ca')]);
});

test('the orchestrator has it compare two states, and shows what it answered', async () => {
  const text = 'Compare what we would owe in California and Texas on 180,000 USD single';
  const { body: started } = await api.http.post('/v1/tasks', { agent: 'alfred', input: { text } });
  await env.followToEnd(started.id);
  const { result, status } = (await api.http.get(`/v1/tasks/${started.id}`)).body;
  expect(status).toBe('completed');
  for (const part of ['60,450.18', '45,795.20']) expect(result.text).toContain(part);
});
