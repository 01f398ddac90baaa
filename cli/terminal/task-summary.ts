import type { Artifact } from '../../contract/artifacts.ts';
import type { Citation, TaskResult, TaskUsage } from '../../contract/task.ts';
import { formatDollars, formatDuration, formatPlace } from '../../contract/rules/format.ts';
import { formatBytes, formatCount, formatTokens } from './format.ts';
import { wrap, type Terminal } from './terminal.ts';

/** Numbered sources: the place of each, and the quote in a paragraph of its own. */
export function formatCitations(citations: Citation[], width: number): string {
  return citations
    .map((citation) => `[${citation.n}] ${formatPlace(citation)}\n${wrap(`“${citation.quote}”`, width, '    ')}`)
    .join('\n');
}

/** The files that a task has made, and how to get them. */
export const formatFiles = (taskId: string, artifacts: Artifact[]): string =>
  [
    'Files:',
    ...artifacts.map(({ name, bytes }) => `  ${name} (${formatBytes(bytes)})`),
    `  To get them: alfred tasks artifacts ${taskId} --save <folder>`,
  ].join('\n');

/** Printed below an answer that cites nothing although its agent answers from documents. */
export const notGrounded = 'This answer cites no document: nothing shows that it is right.';

/** One line: tokens, cost, duration, model calls, model. */
export function formatCost(usage: TaskUsage, durationMs: number, model: string): string {
  return [
    formatTokens(usage),
    formatDollars(usage.costUsd),
    formatDuration(durationMs),
    formatCount(usage.modelCalls, 'model call'),
    model,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Prints the sources to standard output. Prints the cost and the link there on a terminal only, else as notes. */
export function printSourcesAndCost(
  terminal: Terminal,
  summary: { result?: TaskResult; usage: TaskUsage; durationMs: number; model: string; link?: string },
) {
  const print = (line: string) => (terminal.isLive ? terminal.printStyled('dim', line) : terminal.note(line));
  const citations = summary.result?.citations ?? [];
  // The sources belong to the answer, also in a file: its citation numbers refer to them.
  if (citations.length > 0) terminal.print(`\n${formatCitations(citations, terminal.columns)}`);
  if (summary.result?.grounded === false) terminal.note(notGrounded);
  print('');
  print(formatCost(summary.usage, summary.durationMs, summary.model));
  if (summary.link !== undefined) print(summary.link);
}
