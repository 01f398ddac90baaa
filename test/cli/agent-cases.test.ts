import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkCase, type CaseEnd } from '../../cli/agents/check-case.ts';
import { readCases, type Checks } from '../../cli/agents/cases.ts';
import { faultLines, scoreTable } from '../../cli/agents/score-table.ts';
import type { Citation, TaskRow } from '../../contract/task.ts';

const usage = {
  modelCalls: 2,
  inputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 1,
  costUsd: 0.02,
};
const end = (more: Partial<TaskRow> = {}): CaseEnd => ({
  task: {
    status: 'completed',
    error: null,
    usage,
    effects: [],
    result: {
      text: 'It takes 30 days [1].',
      citations: [{ document: 'hr/expenses.md' } as Citation],
      data: { days: 30, from: { kind: 'day', at: 'purchase' } },
    },
    ...more,
  },
  calls: [
    { name: 'search_documents', arguments: { query: 'days', limit: 5 } },
    { name: 'read_document', arguments: { id: 'x' } },
  ],
  seconds: 3,
});
const faultsOf = (checks: Partial<Checks>, ended = end()) => checkCase({ status: 'completed', ...checks }, ended);

test.each<[string, Partial<Checks>]>([
  ['text', { contains: ['30 days'], notContains: ['60'], matches: ['\\b\\d+ days'] }],
  ['a part of the data', { data: { days: 30, from: { kind: 'day' } } }],
  ['a document by the end of its name', { cites: ['expenses.md'] }],
  [
    'calls in order, with some of their arguments',
    { tools: [{ name: 'search_documents', arguments: { limit: 5 } }, { name: 'read_document' }] },
  ],
  ['limits', { maxCostUsd: 0.02, maxSteps: 2, maxSeconds: 3, effects: [] }],
])('%s that fits is no fault', (_, checks) => {
  expect(faultsOf(checks)).toEqual([]);
});

test.each<[string, Partial<Checks>, RegExp]>([
  ['a missing text', { contains: ['60 days'] }, /lacks "60 days"/],
  ['a text that must not be there', { notContains: ['30'] }, /has "30"/],
  ['a pattern', { matches: ['^No'] }, /does not match \/\^No\//],
  ['another value in the data', { data: { days: 31 } }, /without \{"days":31\}/],
  ['a field that is not in the data', { data: { weeks: 4 } }, /weeks/],
  ['a document that is not cited', { cites: ['leave.html'] }, /no document called leave\.html/],
  ['a document whose name only ends alike', { cites: ['nses.md'] }, /no document called nses\.md/],
  ['calls in another order', { tools: [{ name: 'read_document' }, { name: 'search_documents' }] }, /the calls are/],
  ['one call more', { tools: [{ name: 'search_documents' }] }, /the calls are/],
  [
    'another argument',
    { tools: [{ name: 'search_documents', arguments: { limit: 6 } }, { name: 'read_document' }] },
    /"limit":5/,
  ],
  ['an effect that did not happen', { effects: ['send_email'] }, /these took effect: none; expected: send_email/],
  ['cost', { maxCostUsd: 0.01 }, /cost is 0\.02, more than 0\.01/],
  ['steps', { maxSteps: 1 }, /number of model calls is 2/],
  ['time', { maxSeconds: 2 }, /number of seconds is 3/],
  ['another end', { status: 'failed' }, /completed, not failed/],
])('%s is a fault', (_, checks, fault) => {
  expect(faultsOf(checks)).toEqual([expect.stringMatching(fault)]);
});

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'alfred-cases-'));
  await mkdir(join(folder, 'evals'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'evals', name), text);
  return folder;
}

test('cases come from lists and from lines, in the order of the file names', async () => {
  const one = '{"input": {"text": "What?"}, "checks": {"contains": ["that"]}}';
  const folder = await folderWith({ 'b.jsonl': `${one}\n\n${one}\n`, 'a.json': `[{"name": "first", ${one.slice(1)}]` });
  expect((await readCases(folder)).map(({ name, approvals }) => [name, approvals])).toEqual([
    ['first', 'approve'],
    ['b.jsonl 1', 'approve'],
    ['b.jsonl 2', 'approve'],
  ]);
  expect(await readCases(join(folder, 'evals'))).toEqual([]);
});

test.each([
  ['[{"input": {}, "checks": {"contians": ["x"]}}]', /a\.json, case 1: .*contians/s],
  ['[{"input": {}, "checks": {"matches": ["("]}}]', /is no regular expression/],
  ['{"input": {}}', /holds no JSON list/],
])('a faulty file is named: %s', async (text, fault) => {
  await expect(readCases(await folderWith({ 'a.json': text }))).rejects.toThrow(fault);
});

test('models stand side by side, with the share that passed and its interval', () => {
  const result = (name: string, faults: string[] = []) => ({
    name,
    taskId: 't',
    faults,
    seconds: 1,
    costUsd: 0.5,
    modelCalls: 2,
  });
  const scores = [
    { model: 'offline:quote', results: [result('one'), result('two')] },
    { model: 'openai:gpt', results: [result('one'), result('two', ['the answer lacks "x"'])] },
  ];
  const lines = scoreTable(scores)
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(lines).toEqual([
    ['CASE', 'offline:quote', 'openai:gpt'],
    ['one', 'ok', 'ok'],
    ['two', 'ok', 'FAILED'],
    ['passed', '2 of 2 (34 % to 100 %)', '1 of 2 (9 % to 91 %)'],
    ['cost', '$1.0000', '$1.0000'],
    ['model calls', '4', '4'],
    ['seconds a case', '1.0', '1.0'],
  ]);
  expect(faultLines(scores)).toEqual(['two (openai:gpt): the answer lacks "x"  alfred tasks events t']);
});

test('what was judged has its cost, and what was not is counted apart', () => {
  const result = { name: 'one', taskId: 't', faults: [], seconds: 2, costUsd: 0, modelCalls: 1 };
  const judgement = { model: 'a:b', verdict: 'yes' as const, reason: 'r', costUsd: 0.25 };
  const scores = [
    {
      model: 'a:b',
      results: [
        { ...result, judgement },
        { ...result, name: 'two' },
      ],
    },
    {
      model: 'offline:quote',
      results: [
        { ...result, skipped: true as const, seconds: 0 },
        { ...result, name: 'two' },
      ],
    },
  ];
  const lines = scoreTable(scores)
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(lines.slice(1, 5)).toEqual([
    ['one', 'ok', 'not judged'],
    ['two', 'ok', 'ok'],
    ['passed', '2 of 2 (34 % to 100 %)', '1 of 1 (21 % to 100 %)'],
    ['not judged', '0', '1'],
  ]);
  expect(lines).toContainEqual(['cost of judging', '$0.2500', '$0.0000']);
  expect(lines.at(-1)).toEqual(['seconds a case', '2.0', '2.0']);
});
