import type { Approval } from '../../../contract/approval.ts';
import type { Artifact } from '../../../contract/artifacts.ts';
import type { TaskEvent } from '../../../contract/events.ts';
import type { CheckedCitation, Citation, Task } from '../../../contract/task.ts';
import { answers, callback, ids, sends, temporal, times, usage, type OperationExamples } from './shared.ts';

const question = 'How many days do I have to file an expense report?';
const answer = 'You have 30 days from the end of the trip [1].';
const passage = 'Expense reports are due within 30 days from the end of the trip. Later reports need an approval.';
const quote = 'Expense reports are due within 30 days from the end of the trip.';

const citation: Citation = {
  n: 1,
  documentId: ids.document,
  document: 'policies/expenses.md',
  title: 'Expenses',
  headingPath: ['Expenses', 'Deadlines'],
  page: null,
  chunkId: '5d1f0c9e2b7a4e63',
  contentHash: '9f2c6a1b0d3e5f7081928374655647382910a0b1c2d3e4f5061728394a5b6c7d',
  version: 1,
  indexVersion: 'embedded-3',
  query: 'days to file an expense report',
  quote,
  start: 25,
  end: 25 + quote.length,
};

const noUsage = { modelCalls: 0, inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, costUsd: 0 };

const links: Task['links'] = {
  self: `/v1/tasks/${ids.task}`,
  events: `/v1/tasks/${ids.task}/events`,
  temporal: temporal('workflows', `task/${ids.task}`),
};

export const queuedTask: Task = {
  id: ids.task,
  agent: 'knowledge',
  status: 'queued',
  model: null,
  conversationId: null,
  scheduleId: null,
  asked: question,
  input: { text: question },
  metadata: { ticket: 'HR-1024' },
  budget: { maxCostUsd: 0.5 },
  result: null,
  error: null,
  waiting: null,
  effects: [],
  usage: noUsage,
  lastSeq: 1,
  createdAt: times.asked,
  startedAt: null,
  endedAt: null,
  links,
};

export const completedTask: Task = {
  ...queuedTask,
  status: 'completed',
  model: 'anthropic:claude-sonnet-5-5',
  result: { text: answer, citations: [citation], grounded: true },
  usage,
  lastSeq: 9,
  startedAt: times.began,
  endedAt: times.ended,
};

const { input: _input, ...listedTask } = completedTask;

const cancelledTask: Task = {
  ...queuedTask,
  status: 'cancelled',
  model: 'anthropic:claude-sonnet-5-5',
  lastSeq: 4,
  startedAt: times.began,
  endedAt: times.ended,
};

const effect: Task['effects'][number] = {
  callId: 'call_1',
  step: 1,
  tool: 'send_webhook',
  summary: 'Booked a room',
  state: 'undone',
  at: times.began,
};

const seen: CheckedCitation = {
  ...citation,
  passage: { text: passage, start: 25, end: 25 + passage.length },
  state: 'unchanged',
  now: { version: 1, start: citation.start, end: citation.end },
};

const artifact: Artifact = {
  id: ids.artifact,
  taskId: ids.task,
  name: 'expenses.csv',
  mediaType: 'text/csv',
  bytes: 1_280,
  sha256: '5b0d3c8e1f7a29462d4e6f8091a3b5c7d9e1f30415263748596a7b8c9daebfc0',
  createdAt: times.began,
};

const events: TaskEvent[] = [
  { seq: 1, at: times.asked, type: 'task.queued', data: { agent: 'knowledge' } },
  { seq: 2, at: times.began, type: 'task.started', data: { model: 'anthropic:claude-sonnet-5-5' } },
];

const pending: Approval = {
  id: ids.approval,
  taskId: ids.task,
  agent: 'assistant',
  tool: 'send_email',
  callId: 'call_1',
  requestedBy: 'local',
  arguments: { to: ['ann@example.com'], subject: 'Your expense report', text: 'It is due on Friday.' },
  argumentsHash: '3b1e7c5a9d2f4861b0c3d5e7f9a1b2c4d6e8f0a2b4c6d8e0f1a3b5c7d9e1f3a5',
  status: 'pending',
  approvers: { roles: ['office'] },
  fourEyes: false,
  onExpiry: 'deny',
  requestedAt: times.began,
  escalatesAt: null,
  escalatedAt: null,
  expiresAt: '2026-12-01T08:00:00.120Z',
  decision: null,
  links: {
    self: `/v1/approvals/${ids.approval}`,
    task: `/v1/tasks/${ids.task}`,
    temporal: temporal('workflows', `task/${ids.task}`),
  },
};

const approved: Approval = {
  ...pending,
  status: 'approved',
  decision: {
    runs: true,
    by: 'local',
    at: times.ended,
    comment: 'Go ahead.',
    edited: null,
    argumentsHash: pending.argumentsHash,
  },
};

const readers = ['group:staff'];
const pushConfig = { id: 'my-callback', url: 'https://example.com/a2a' };

export const taskExamples: Record<string, OperationExamples> = {
  createTask: {
    body: sends({
      agent: 'knowledge',
      input: { text: question },
      budget: { maxCostUsd: 0.5 },
      metadata: { ticket: 'HR-1024' },
    }),
    responses: answers(202, queuedTask),
  },
  listTasks: {
    parameters: { of: 'own', agent: 'knowledge', status: 'completed', createdAfter: '2026-11-01T00:00:00Z' },
    responses: answers(200, { tasks: [listedTask], nextCursor: null }),
  },
  getTask: { responses: answers(200, completedTask) },
  followTask: { responses: { 200: { 'text/event-stream': events[0] } } },
  listTaskEvents: { responses: answers(200, { events, lastSeq: 2, nextCursor: '2' }) },
  cancelTask: {
    body: sends({ reason: 'The question is answered.' }),
    responses: {
      ...answers(200, cancelledTask),
      ...answers(202, { ...cancelledTask, status: 'running', endedAt: null }),
    },
  },
  undoTask: {
    responses: {
      ...answers(200, { ...completedTask, effects: [effect] }),
      ...answers(202, { ...completedTask, effects: [{ ...effect, state: 'undoing' }] }),
    },
  },
  grantBudget: {
    body: sends({ maxCostUsd: 2 }),
    responses: answers(200, {
      ...queuedTask,
      status: 'running',
      budget: { maxCostUsd: 2 },
      startedAt: times.began,
    }),
  },
  getTaskReaders: { responses: answers(200, { readers }) },
  setTaskReaders: { body: sends({ readers }), responses: answers(200, { readers }) },
  listArtifacts: { responses: answers(200, { artifacts: [artifact] }) },
  readArtifact: { responses: { 200: { '*/*': 'trip,total\nRome,412.50\n' } } },
  getTaskCitations: { responses: answers(200, { citations: [seen] }) },
  deleteTask: {},
  getCallback: { responses: answers(200, callback) },
  repeatCallback: { responses: answers(202, { ...callback, state: 'waiting', deliveries: 2 }) },
  setPushConfig: {
    body: sends({ ...pushConfig, token: 'b3f1c2' }),
    responses: answers(200, pushConfig),
  },
  getPushConfig: { responses: answers(200, pushConfig) },
  removePushConfig: {},
  listApprovals: {
    parameters: { status: 'pending', mine: 'true' },
    responses: answers(200, { approvals: [pending], nextCursor: null }),
  },
  getApproval: { responses: answers(200, pending) },
  decideApproval: { body: sends({ decision: 'approve', comment: 'Go ahead.' }), responses: answers(200, approved) },
};
