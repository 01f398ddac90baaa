import { z } from 'zod';
import { Artifact } from './artifacts.ts';
import { Callback } from './callback.ts';
import { ErrorCodeSchema } from './error-code.ts';
import { Json } from './json-schema.ts';
import { OfAll, Owner } from './owner.ts';
import { NextCursor, pageQuery } from './paging.ts';

export const taskStatuses = ['queued', 'running', 'waiting', 'completed', 'incomplete', 'failed', 'cancelled'] as const;
export const TaskStatus = z
  .enum(taskStatuses)
  .describe('`incomplete`: it ended at its budget without an answer; `result` holds what there was');
export type TaskStatus = z.infer<typeof TaskStatus>;

export const Budget = z
  .strictObject({
    maxCostUsd: z.number().nonnegative().max(1_000_000).optional().describe('US dollars'),
    maxTokens: z.int().positive().max(1_000_000_000).optional().describe('all kinds of tokens together'),
    maxModelCalls: z.int().positive().max(100_000).optional(),
    maxDurationS: z
      .int()
      .positive()
      .max(31_536_000)
      .optional()
      .describe('seconds of work; waiting for a budget or a provider does not count'),
    waitS: z
      .int()
      .nonnegative()
      .max(31_536_000)
      .optional()
      .describe('seconds to wait at a limit for more, before the task ends with what it has; default 7 days'),
  })
  .describe(
    'Limits for this task. The worst case of a model call is reserved before it starts, so that no limit is passed. At a limit the task waits: POST …/budget grants more.',
  );
export type Budget = z.infer<typeof Budget>;

/** Raises a task's limits to new totals, or ends the task with the results so far. */
export const BudgetGrant = Budget.pick({ maxCostUsd: true, maxTokens: true, maxModelCalls: true, maxDurationS: true })
  .extend({ finish: z.boolean().optional().describe('true: end the task with what it has') })
  .describe('New totals of the limits that shall be wider, or `finish`.');
export type BudgetGrant = z.infer<typeof BudgetGrant>;

/** Why a task is `waiting`, or stays `queued`. */
export const Waiting = z.object({
  reason: z
    .enum(['budget', 'outage', 'approval', 'service', 'tenant', 'worker'])
    .describe('`tenant`: its tenant is suspended. `worker`: the task is queued, and no worker serves its agent'),
  message: z.string(),
  approvals: z.array(z.uuid()).optional().describe('those that wait for a person'),
  limit: z.enum(['maxCostUsd', 'maxTokens', 'maxModelCalls', 'maxDurationS']).optional(),
  scope: z.enum(['task', 'agent', 'tenant']).optional().describe('whose limit it is'),
  max: z.number().optional(),
  charged: z.number().optional().describe('so far, calls under way at their worst case'),
  needed: z.number().optional().describe('by the next call, at the most'),
  model: z.string().optional().describe('the one that does not answer'),
  service: z.enum(['database', 'index']).optional().describe('which part of Alfred cannot be used'),
  because: z
    .string()
    .optional()
    .describe(
      'why it cannot be used; `auth`: the provider refuses the key, the account or the model, and a person has to mend that',
    ),
});
export type Waiting = z.infer<typeof Waiting>;

export const Metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((entries) => Object.keys(entries).length <= 16, 'at most 16 entries')
  .meta({ maxProperties: 16 })
  .describe('Up to 16 strings of your own, returned with the task');

export const Priority = z
  .int()
  .min(1)
  .max(5)
  .describe('1 goes first, 5 last, while tasks wait for workers; default 3. Within a priority tenants take turns');

/** A request for a task. `input` is validated against the agent's own schema (`GET /v1/agents`). */
export const TaskRequest = z.strictObject({
  agent: z.string().min(1).max(64).default('knowledge').describe('A name from GET /v1/agents'),
  input: z.record(z.string(), Json).describe('The agent’s input, usually {"text": "…"}'),
  budget: Budget.optional(),
  priority: Priority.optional(),
  metadata: Metadata.optional(),
  callback: Callback.optional(),
});
export type TaskRequest = z.infer<typeof TaskRequest>;

/**
 * One place in one document that supports an answer. `quote` is the document's text at [start, end), word for word;
 * offsets are UTF-16 code units.
 */
export const Citation = z.object({
  n: z.int().positive().describe('The number in the answer, as in [1]'),
  documentId: z.uuid(),
  document: z.string().describe('The document’s name, usually its path'),
  title: z.string(),
  headingPath: z.array(z.string()).describe('The section, outermost heading first'),
  page: z.int().positive().nullable(),
  chunkId: z.string(),
  contentHash: z.string().describe('SHA-256 of the document version that was read'),
  version: z.int().positive().optional().describe('Of the document, as it was read'),
  indexVersion: z.string().optional().describe('How the index ranked that found it'),
  query: z
    .string()
    .optional()
    .describe('What the agent searched for that found it; the last search, where several did'),
  quote: z.string(),
  start: z.int().nonnegative().describe('Characters from the start of the document’s text'),
  end: z.int().nonnegative(),
});
export type Citation = z.infer<typeof Citation>;

/** How a cited place compares with the present text of its document. */
export const citationStates = ['unchanged', 'moved', 'changed', 'deleted'] as const;
export const CheckedCitation = Citation.extend({
  passage: z
    .object({ text: z.string(), start: z.int().nonnegative(), end: z.int().nonnegative() })
    .nullable()
    .describe('What was read, of which the quote is a part; null when it was erased'),
  state: z
    .enum(citationStates)
    .describe(
      'unchanged; moved: the document is another version, which holds the quote too; changed: it no longer holds it; deleted, or no longer yours to read',
    ),
  now: z
    .object({ version: z.int().positive(), start: z.int().nonnegative(), end: z.int().nonnegative() })
    .nullable()
    .describe('Where the quote stands in the document now'),
});
export type CheckedCitation = z.infer<typeof CheckedCitation>;
export const TaskCitations = z.object({ citations: z.array(CheckedCitation) });

export const TaskResult = z.object({
  text: z.string(),
  citations: z.array(Citation),
  data: Json.optional().describe('The answer as data, for agents with a schema for it'),
  grounded: z
    .boolean()
    .optional()
    .describe(
      'Whether the answer cites at least one passage that was read for it; absent for agents that do not answer from documents',
    ),
  quiet: z
    .literal(true)
    .optional()
    .describe('Present when there is nothing to report: a schedule posts no such answer'),
  incomplete: z.literal('budget').optional().describe('Present when the task ended with what it had'),
  asks: z
    .object({ choices: z.array(z.string()).optional() })
    .optional()
    .describe('Present when `text` is a question: the next message of the conversation answers it'),
  handsOver: z
    .object({ agent: z.string() })
    .optional()
    .describe('Present when the conversation was handed over: this agent answers from the next message on'),
});
export type TaskResult = z.infer<typeof TaskResult>;

export const TaskUsage = z.object({
  modelCalls: z.int().nonnegative(),
  inputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costUsd: z.number().nonnegative(),
});
export type TaskUsage = z.infer<typeof TaskUsage>;

export const TaskError = z.object({ code: ErrorCodeSchema, message: z.string() });
export type TaskError = z.infer<typeof TaskError>;

/** A change in the outside world that a task made or tried to make, like a sent email. */
export const Effect = z.object({
  callId: z.string(),
  step: z.int().positive(),
  tool: z.string(),
  summary: z.string().nullable(),
  state: z
    .enum(['begun', 'done', 'failed', 'unknown', 'undoing', 'undone', 'undo_failed', 'cannot_be_undone'])
    .describe(
      '`unknown`: the call left and no answer came, so it is not known whether it took effect; `undoing`: its undo is under way',
    ),
  at: z.iso.datetime(),
});
export type Effect = z.infer<typeof Effect>;

/** What a task was asked, as its agent got it. */
export const TaskInput = z.object({
  text: z.string(),
  tool: z.object({ name: z.string(), arguments: Json }).optional().describe('The tool to call first'),
});
export type TaskInput = z.infer<typeof TaskInput>;

/** A task that another one has delegated, as that one shows it. */
export const TaskChild = z.object({
  id: z.uuid(),
  agent: z.string(),
  status: TaskStatus,
  costUsd: z.number().nonnegative().describe('Its own, without that of the tasks below it'),
});
export type TaskChild = z.infer<typeof TaskChild>;

export const Task = z.object({
  id: z.uuid(),
  owner: Owner,
  agent: z.string(),
  status: TaskStatus,
  model: z.string().nullable().describe('provider:model, known once the task runs'),
  conversationId: z.string().nullable().describe('The conversation that it belongs to'),
  parentId: z.uuid().nullable().optional().describe('The task that delegated this one'),
  scheduleId: z.uuid().nullable().optional().describe('The schedule that asked, directly or in the conversation'),
  settingsVersion: z
    .int()
    .positive()
    .optional()
    .describe('The settings of the tenant for its agent that hold for it; absent: there were none'),
  asked: z.string().nullable().optional().describe('The first words of what it was asked, on one line'),
  input: TaskInput.nullable().optional().describe('What it was asked; absent in lists'),
  metadata: z.record(z.string(), z.string()),
  budget: Budget,
  result: TaskResult.nullable(),
  error: TaskError.nullable(),
  waiting: Waiting.nullable().describe(
    'Present while the status is `waiting`, and while it is `queued` for an agent that no worker serves',
  ),
  effects: z.array(Effect).describe('What it has changed in the world so far, in order'),
  usage: TaskUsage,
  usageWithChildren: TaskUsage.optional().describe(
    '`usage` is its own; this adds that of all tasks below it. Absent in lists, and when it has delegated none',
  ),
  children: z
    .array(TaskChild)
    .optional()
    .describe('The tasks that it has delegated, oldest first; absent in lists, and when there is none'),
  artifacts: z
    .array(Artifact)
    .optional()
    .describe('The files that it and the tasks below it have made; absent in lists, and when there is none'),
  lastSeq: z.int().nonnegative().describe('Sequence number of the newest event'),
  createdAt: z.iso.datetime().describe('When it was asked for; in a conversation, the time of its message'),
  startedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  links: z.object({
    self: z.string(),
    events: z.string(),
    temporal: z.string().describe('The workflow in Temporal Web UI'),
  }),
});
export type Task = z.infer<typeof Task>;
/** A task's row without its links, which only the API can build. */
export type TaskRow = Omit<Task, 'links'>;

export const TaskListQuery = z.strictObject({
  of: OfAll,
  agent: z.string().min(1).max(64).optional().describe('Only tasks of this agent'),
  status: TaskStatus.optional(),
  conversationId: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Only tasks of this conversation; not with `of=tenant`'),
  parent: z
    .uuid()
    .optional()
    .describe('Only the tasks that this one has delegated. Without it, delegated tasks are left out'),
  createdAfter: z.iso
    .datetime({ offset: true })
    .optional()
    .describe(
      'Tasks whose `createdAt` is later. The task of a message is listed from the beginning of its turn, which may be long after that',
    ),
  createdBefore: z.iso.datetime({ offset: true }).optional().describe('Tasks whose `createdAt` is earlier'),
  ...pageQuery(),
});
export type TaskListQuery = z.infer<typeof TaskListQuery>;

export const TaskList = z.object({ tasks: z.array(Task), nextCursor: NextCursor });
export type TaskList = z.infer<typeof TaskList>;

export const CancelRequest = z.strictObject({
  reason: z.string().max(500).optional(),
  undo: z
    .boolean()
    .optional()
    .describe('true: undo what the task has changed, newest first; the end says what could not be'),
});
export type CancelRequest = z.infer<typeof CancelRequest>;
