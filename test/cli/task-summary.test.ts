import { expect, test } from '@jest/globals';
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
