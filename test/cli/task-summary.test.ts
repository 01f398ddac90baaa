import { expect, test } from '@jest/globals';
import { exitCodeOf, printFailureReason } from '../../cli/task-ending.ts';
import { notGrounded, printSourcesAndCost } from '../../cli/terminal/task-summary.ts';
import type { Terminal } from '../../cli/terminal/terminal.ts';
import type { TaskResult } from '../../contract/task.ts';

const usage = {
  modelCalls: 1,
  inputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 1,
  costUsd: 0,
};

/** The notes below an answer. */
function notesOf(result: TaskResult): string[] {
  const notes: string[] = [];
  const terminal: Partial<Terminal> = { isLive: false, columns: 80, print: () => {}, note: (line) => notes.push(line) };
  printSourcesAndCost(terminal as Terminal, { result, usage, durationMs: 1, model: 'scripted:x' });
  return notes;
}

test.each([
  [false, true],
  [true, false],
  [undefined, false],
])('an answer with grounded %s is marked: %s', (grounded, isMarked) => {
  const result = { text: 'Yes.', citations: [], ...(grounded === undefined ? {} : { grounded }) };
  expect(notesOf(result).includes(notGrounded)).toBe(isMarked);
});

test('an end without an answer has exit code 1 and says so, also in the words of the version before', () => {
  const data = { result: { text: 'Let me look.', citations: [], incomplete: 'budget' as const }, usage };
  for (const type of ['task.incomplete', 'task.completed'] as const) {
    const event = { type, data, seq: 9, at: '2026-11-28T12:00:00Z' };
    const notes: string[] = [];
    printFailureReason({ note: (line: string) => notes.push(line) } as unknown as Terminal, event);
    expect({ code: exitCodeOf(event), notes }).toEqual({
      code: 1,
      notes: ['The budget ended first: this is what there was.'],
    });
  }
});
