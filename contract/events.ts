import { z } from 'zod';
import { Json } from './json-schema.ts';
import { UsedMemory } from './memories.ts';
import { NextCursor, pageQuery } from './paging.ts';
import { artifactFields } from './artifacts.ts';
import { Approvers } from './approval.ts';
import { delegationEndFields, delegationFields, PlanItem } from './delegation.ts';
import { Budget, Effect, TaskError, TaskResult, TaskUsage, Waiting } from './task.ts';

const step = z.int().positive().describe('One turn of the model loop, from 1');
const attempt = z.int().positive();
const purpose = z.literal('summary').optional().describe('Present when the call only shortens the conversation');

const eventSchema = <T extends string, D extends z.ZodRawShape>(type: T, data: D) =>
  z.object({
    seq: z.int().positive().describe('1, 2, 3 … within the task, without gaps'),
    at: z.iso.datetime(),
    type: z.literal(type),
    data: z.object(data),
  });

/** The fields that identify a tool call in its events. */
const callFields = { step, callId: z.string(), tool: z.string() };
const approvalId = z.uuid();
const argumentsHash = z.string().describe('SHA-256 of the arguments');
const taskId = z.uuid().optional().describe('The delegated task that asks; absent when this task asks itself');
/** The fields that identify an approval in its events. */
const approvalFields = { ...callFields, approvalId, taskId };

export const taskEventSchemas = [
  eventSchema('task.queued', { agent: z.string() }),
  eventSchema('task.started', { model: z.string() }),
  eventSchema('model.started', { step, attempt, model: z.string(), purpose }),
  eventSchema('text.delta', { step, attempt, text: z.string() }),
  eventSchema('model.completed', {
    step,
    attempt,
    usage: TaskUsage,
    stopReason: z.string(),
    durationMs: z.int(),
    firstTokenMs: z.int().nullable(),
    purpose,
  }),
  eventSchema('model.failed', { step, attempt, error: TaskError, willRetry: z.boolean(), purpose }),
  eventSchema('model.fallback', { step, from: z.string(), to: z.string(), reason: z.string() }),
  eventSchema('model.corrected', {
    step,
    reason: z.enum(['tool_as_text', 'output_invalid', 'citation_unknown']),
    message: z.string(),
  }),
  eventSchema('context.compacted', {
    step,
    method: z.enum(['drop_tool_results', 'summary']),
    dropped: z.int().nonnegative().describe('tool results, or messages that the summary stands for'),
    tokensBefore: z.int().nonnegative(),
    tokensAfter: z.int().nonnegative(),
  }),
  eventSchema('tool.started', { ...callFields, arguments: Json }),
  eventSchema('tool.completed', {
    ...callFields,
    isError: z.boolean(),
    summary: z.string(),
    durationMs: z.int(),
  }),
  eventSchema('artifact.created', { ...callFields, artifactId: z.uuid(), ...artifactFields }),
  eventSchema('approval.requested', {
    ...approvalFields,
    arguments: Json,
    argumentsHash,
    approvers: Approvers,
    fourEyes: z.boolean(),
    expiresAt: z.iso.datetime(),
  }),
  eventSchema('approval.escalated', { ...approvalFields, approvers: Approvers }),
  eventSchema('approval.decided', {
    ...approvalFields,
    // No event has `withdrawn` at present: the end of a task withdraws its pending approvals without an event.
    decision: z.enum(['approved', 'denied', 'expired', 'withdrawn']),
    runs: z.boolean().describe('whether the call runs'),
    by: z.string().nullable().describe('null when no one decided in time'),
    comment: z.string().nullable(),
    argumentsHash: argumentsHash.nullable().describe('of the arguments that may run'),
    edited: Json.nullable().describe('the arguments that run instead'),
  }),
  eventSchema('message.steered', { step, messageId: z.string(), text: z.string() }),
  eventSchema('effect.undone', {
    ...callFields,
    state: z.enum(['undone', 'undo_failed', 'cannot_be_undone', 'unknown']),
    summary: z.string(),
  }),
  eventSchema('memory.used', { step, memories: z.array(UsedMemory) }),
  eventSchema('plan.changed', { step, callId: z.string(), items: z.array(PlanItem) }),
  eventSchema('delegation.started', { step, callId: z.string(), ...delegationFields, request: z.string() }),
  eventSchema('delegation.ended', { step, callId: z.string(), ...delegationEndFields }),
  eventSchema('remote.progress', {
    state: z.enum(['started', 'working', 'asks', 'failed', 'cancelled', 'goes_on']),
    message: z.string().optional().describe('In the words of the remote agent, or why it could not be cancelled'),
  }),
  eventSchema('task.waiting', Waiting.shape),
  eventSchema('task.resumed', { reason: z.string() }),
  eventSchema('budget.granted', { budget: Budget }),
  eventSchema('task.completed', { result: TaskResult, usage: TaskUsage }),
  eventSchema('task.incomplete', { result: TaskResult, usage: TaskUsage }),
  eventSchema('task.failed', { error: TaskError, usage: TaskUsage }),
  eventSchema('task.cancelled', {
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

export const terminalTypes = ['task.completed', 'task.incomplete', 'task.failed', 'task.cancelled'] as const;

/** The event that ends a task. Only `effect.undone` can follow it, when the task's effects are undone afterwards. */
export type TerminalTaskEvent = Extract<TaskEvent, { type: (typeof terminalTypes)[number] }>;

export const isTerminalEvent = (event: TaskEvent): event is TerminalTaskEvent =>
  (terminalTypes as readonly string[]).includes(event.type);

/**
 * An event before it is stored and gets its number and time. The conditional type makes one type for each event type,
 * so that `type` and `data` belong together.
 */
export type NewTaskEvent = TaskEvent extends infer E ? (E extends TaskEvent ? Pick<E, 'type' | 'data'> : never) : never;

/** The fields of a page of events beside the events. */
export const eventPageFields = {
  lastSeq: z.int().nonnegative().describe('Number of the last event on the page: where to go on later'),
  nextCursor: NextCursor,
};
export const TaskEventPage = z.object({ events: z.array(TaskEvent), ...eventPageFields });

/** The largest value of a Postgres `integer`, the type of the column. */
const maxSeq = 2_147_483_647;

export const TaskEventsQuery = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .nonnegative()
    .max(maxSeq)
    .optional()
    .meta({ 'x-parameter': 'After', description: 'Only events with a higher number; `Last-Event-ID` wins' }),
});

export const EventPageQuery = z.strictObject(
  pageQuery({ usual: 500, most: 500, fits: (cursor) => /^\d{1,9}$/.test(cursor) }),
);
