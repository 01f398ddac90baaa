import { z } from 'zod';
import { Json } from './json-schema.ts';
import { Approvers } from './approval.ts';
import { Budget, Effect, TaskError, TaskResult, TaskUsage, Waiting } from './task.ts';

const step = z.int().positive().describe('One turn of the model loop, from 1');
const attempt = z.int().positive();
const purpose = z.literal('summary').optional().describe('Present when the call only shortens the conversation');

const event = <T extends string, D extends z.ZodRawShape>(type: T, data: D) =>
  z.object({
    seq: z.int().positive().describe('1, 2, 3 … within the task, without gaps'),
    at: z.iso.datetime(),
    type: z.literal(type),
    data: z.object(data),
  });

const call = { step, callId: z.string(), tool: z.string() };
const approvalId = z.uuid();
const argumentsHash = z.string().describe('SHA-256 of the arguments');

export const taskEventSchemas = [
  event('task.queued', { agent: z.string() }),
  event('task.started', { model: z.string() }),
  event('model.started', { step, attempt, model: z.string(), purpose }),
  event('text.delta', { step, attempt, text: z.string() }),
  event('model.completed', {
    step,
    attempt,
    usage: TaskUsage,
    stopReason: z.string(),
    durationMs: z.int(),
    firstTokenMs: z.int().nullable(),
    purpose,
  }),
  event('model.failed', { step, attempt, error: TaskError, willRetry: z.boolean(), purpose }),
  event('model.fallback', { step, from: z.string(), to: z.string(), reason: z.string() }),
  event('model.corrected', {
    step,
    reason: z.enum(['tool_as_text', 'output_invalid', 'citation_unknown']),
    message: z.string(),
  }),
  event('context.compacted', {
    step,
    method: z.enum(['drop_tool_results', 'summary']),
    dropped: z.int().nonnegative().describe('tool results, or messages that the summary stands for'),
    tokensBefore: z.int().nonnegative(),
    tokensAfter: z.int().nonnegative(),
  }),
  event('tool.started', { step, callId: z.string(), tool: z.string(), arguments: Json }),
  event('tool.completed', {
    step,
    callId: z.string(),
    tool: z.string(),
    isError: z.boolean(),
    summary: z.string(),
    durationMs: z.int(),
  }),
  event('approval.requested', {
    ...call,
    approvalId,
    arguments: Json,
    argumentsHash,
    approvers: Approvers,
    fourEyes: z.boolean(),
    expiresAt: z.iso.datetime(),
  }),
  event('approval.escalated', { ...call, approvalId, approvers: Approvers }),
  event('approval.decided', {
    ...call,
    approvalId,
    decision: z.enum(['approved', 'denied', 'expired', 'withdrawn']),
    runs: z.boolean().describe('whether the call runs'),
    by: z.string().nullable().describe('null when nobody decided in time'),
    comment: z.string().nullable(),
    argumentsHash: argumentsHash.nullable().describe('of the arguments that may run'),
    edited: Json.nullable().describe('the arguments that run instead'),
  }),
  event('message.steered', { step, messageId: z.string(), text: z.string() }),
  event('effect.undone', {
    ...call,
    state: z.enum(['undone', 'undo_failed', 'cannot_be_undone', 'unknown']),
    summary: z.string(),
  }),
  event('task.waiting', Waiting.shape),
  event('task.resumed', { reason: z.string() }),
  event('budget.granted', { budget: Budget }),
  event('task.completed', { result: TaskResult, usage: TaskUsage }),
  event('task.failed', { error: TaskError, usage: TaskUsage }),
  event('task.cancelled', {
    reason: z.string(),
    usage: TaskUsage,
    effects: z.array(Effect).optional().describe('What it had changed before it ended'),
  }),
] as const;

/**
 * An event of a task. A `text.delta` belongs to one attempt of one step: each `model.started` of the step makes the
 * deltas before it invalid.
 */
export const TaskEvent = z.discriminatedUnion('type', taskEventSchemas);
export type TaskEvent = z.infer<typeof TaskEvent>;

/** The last event of a task. */
export type TerminalTaskEvent = Extract<TaskEvent, { type: 'task.completed' | 'task.failed' | 'task.cancelled' }>;

export const isTerminalEvent = (event: TaskEvent): event is TerminalTaskEvent =>
  event.type === 'task.completed' || event.type === 'task.failed' || event.type === 'task.cancelled';

/** An event before it has a place in the sequence. */
export type NewTaskEvent = TaskEvent extends infer E ? (E extends TaskEvent ? Pick<E, 'type' | 'data'> : never) : never;

export const TaskEventPage = z.object({ events: z.array(TaskEvent), lastSeq: z.int().nonnegative() });

export const TaskEventsQuery = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .nonnegative()
    .max(2_147_483_647)
    .optional()
    .describe('Only events with a higher number; Last-Event-ID wins'),
});
