import { Writable } from 'node:stream';
import { beforeEach, expect, test } from '@jest/globals';
import { formatCitations } from '../../cli/terminal/task-summary.ts';
import { createTerminal, printable, table, wrap } from '../../cli/terminal/terminal.ts';
import { createTranscript } from '../../cli/terminal/transcript.ts';
import type { TaskEvent } from '../../contract/events.ts';

let out = '';
let err = '';
beforeEach(() => {
  [out, err] = ['', ''];
});

const usage = { modelCalls: 1, inputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 1, costUsd: 0 };
const stream = (keep: (text: string) => void, isTTY: boolean) => {
  const writable = new Writable({ write: (chunk: Buffer, _, done) => (keep(chunk.toString()), done()) });
  return Object.assign(writable, { isTTY, columns: 80 }) as unknown as NodeJS.WriteStream;
};
const terminal = () =>
  createTerminal({ stdout: stream((text) => (out += text), true), stderr: stream((text) => (err += text), false) });

type Pieces = TaskEvent extends infer E ? (E extends TaskEvent ? Pick<E, 'type' | 'data'> : never) : never;
function play(events: Pieces[], stream = true) {
  const transcript = createTranscript(terminal(), { stream, taskId: 'task-1' });
  events.forEach((event, i) => transcript.show({ seq: i + 1, at: '2026-01-01T00:00:00Z', ...event }));
}
const started = (step: number, attempt: number): Pieces => ({
  type: 'model.started',
  data: { step, attempt, model: 'offline:quote' },
});
const delta = (step: number, attempt: number, text: string): Pieces => ({
  type: 'text.delta',
  data: { step, attempt, text },
});
const completed = (text: string): Pieces => ({
  type: 'task.completed',
  data: { result: { text, citations: [] }, usage },
});

test('on a terminal, text is written while it streams, and only once', () => {
  play([started(1, 1), delta(1, 1, 'Thirty '), delta(1, 1, 'days.'), completed('Thirty days.')]);
  expect(out).toBe('Thirty days.\n');
});

test('a new attempt says that the text of the previous one is void', () => {
  play([started(1, 1), delta(1, 1, 'Thir'), started(1, 2), delta(1, 2, 'Thirty days.'), completed('Thirty days.')]);
  expect(out).toBe('Thir\nThirty days.\n');
  expect(err).toContain('void');
});

test('an answer that differs from the streamed text is printed completely', () => {
  play([started(1, 1), delta(1, 1, 'Thirty'), completed('Thirty days.')]);
  expect(out).toBe('Thirty\n\nThirty days.\n');
});

test('without streaming only the answer is printed', () => {
  play(
    [started(1, 1), delta(1, 1, 'Let me look.'), started(2, 1), delta(2, 1, 'Thirty days.'), completed('Thirty days.')],
    false,
  );
  expect(out).toBe('Thirty days.\n');
});

test('text cannot control the terminal', () => {
  play([
    started(1, 1),
    delta(1, 1, 'a\u001b[2Jb\u001b]0;title\u0007c\rd'),
    completed('a\u001b[2Jb\u001b]0;title\u0007c\rd'),
  ]);
  expect(out).not.toMatch(/[\u001b\u0007\r]/);
  expect(printable('tab\tand\nline stay')).toBe('tab\tand\nline stay');
});

test('a citation names document, section and page and quotes within the width', () => {
  const quote =
    'Expense reports are filed within thirty days after the last day of the trip, with every receipt attached.';
  const lines = formatCitations(
    [
      {
        n: 1,
        documentId: '0198c5c6-1111-7000-8000-000000000000',
        document: 'policies/expenses.md',
        title: 'Expenses',
        headingPath: ['Filing', 'Deadlines'],
        page: 3,
        chunkId: 'c',
        contentHash: 'h',
        quote,
        start: 0,
        end: quote.length,
      },
    ],
    60,
  ).split('\n');
  expect(lines[0]).toBe('[1] policies/expenses.md › Filing › Deadlines, page 3');
  expect(Math.max(...lines.slice(1).map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(
    lines
      .slice(1)
      .map((line) => line.trim())
      .join(' '),
  ).toBe(`“${quote}”`);
});

test('wrapping and tables keep every word', () => {
  expect(wrap('one two three', 8)).toBe('one two\nthree');
  expect(wrap('a-word-longer-than-the-line', 8)).toBe('a-word-longer-than-the-line');
  expect(wrap('', 8)).toBe('');
  expect(
    table([
      ['A', 'B'],
      ['long', 'x'],
    ]),
  ).toBe('A     B\nlong  x');
});

test('a plan and the agents that work on its parts are shown', () => {
  const child = { step: 1, callId: 'c', taskId: '01a2016d-a24b-75a4-a29e-b8b9392386bd', agent: 'knowledge' };
  const error = { code: 'step_limit', message: 'No answer.' } as const;
  play([
    {
      type: 'plan.changed',
      data: { step: 1, callId: 'p', items: [{ title: 'Read the contract', agent: 'knowledge', status: 'running' }] },
    },
    { type: 'delegation.started', data: { ...child, request: 'Which notice period\ndoes it have?' } },
    { type: 'delegation.ended', data: { ...child, status: 'failed', error, usage } },
  ]);
  expect(err.split('\n').map((line) => line.trim())).toEqual([
    '◐ Read the contract (knowledge)',
    `knowledge works on: Which notice period does it have? (task ${child.taskId})`,
    'knowledge: failed, No answer.',
    '',
  ]);
});

test('the files of a task and of a delegated one are named', () => {
  const of = { step: 1, callId: 'c', tool: 'run_code' };
  const file = { mediaType: 'text/csv', sha256: 'hash' } as const;
  const made = { ...file, id: 'f', taskId: 't', name: 'chart.svg', bytes: 5_200, createdAt: '2026-01-01T00:00:00Z' };
  play([
    { type: 'tool.started', data: { ...of, arguments: { program: '1' } } },
    { type: 'artifact.created', data: { ...of, ...file, artifactId: 'f', name: 'sums.csv', bytes: 12 } },
    {
      type: 'delegation.ended',
      data: { ...of, taskId: 't', agent: 'assistant', status: 'completed', error: null, usage, artifacts: [made] },
    },
  ]);
  expect(err.split('\n').map((line) => line.trim())).toEqual([
    'calculating …',
    'made sums.csv (12 B)',
    'assistant: completed',
    'made chart.svg (5.2 kB)',
    '',
  ]);
});
