import type { NewTaskEvent, TaskEvent } from '../../../contract/events.ts';
import type { Citation } from '../../../contract/task.ts';
import { applyEvent, emptyView, type TaskView } from '../../../slack/rendering/task-view.ts';

export const usage = {
  modelCalls: 2,
  inputTokens: 900,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 80,
  costUsd: 0.0123,
};

/** Events of a task, one second apart. */
export const numbered = (events: NewTaskEvent[], first = 1): TaskEvent[] =>
  events.map((event, at) => ({
    ...event,
    seq: first + at,
    at: new Date(Date.UTC(2026, 0, 1, 8, 0, first + at)).toISOString(),
  }));

export const viewOf = (events: NewTaskEvent[], view: TaskView = emptyView): TaskView =>
  numbered(events, view.seq + 1).reduce(applyEvent, view);

export const started: NewTaskEvent[] = [
  { type: 'task.queued', data: { agent: 'knowledge' } },
  { type: 'task.started', data: { model: 'offline:quote' } },
];
export const modelStarted = (step: number, attempt = 1): NewTaskEvent => ({
  type: 'model.started',
  data: { step, attempt, model: 'offline:quote' },
});
export const delta = (text: string): NewTaskEvent => ({ type: 'text.delta', data: { step: 1, attempt: 1, text } });
export const toolStarted = (callId: string, query: string): NewTaskEvent => ({
  type: 'tool.started',
  data: { step: 1, callId, tool: 'search_documents', arguments: { query } },
});
export const toolCompleted = (callId: string, summary: string, isError = false): NewTaskEvent => ({
  type: 'tool.completed',
  data: { step: 1, callId, tool: 'search_documents', isError, summary, durationMs: 10 },
});
export const completed = (text: string, citations: Citation[] = [], grounded?: boolean): NewTaskEvent => ({
  type: 'task.completed',
  data: { result: { text, citations, ...(grounded === undefined ? {} : { grounded }) }, usage },
});
export const citation = (n: number, quote = 'Reports are due within 30 days.'): Citation => ({
  n,
  documentId: '5f0c2a57-1d1c-4f0e-9a57-4a1b3f0c2a57',
  document: 'policies/expenses.md',
  title: 'Expenses',
  headingPath: ['Filing'],
  page: 3,
  chunkId: 'chunk',
  contentHash: 'hash',
  quote,
  start: 0,
  end: quote.length,
});
