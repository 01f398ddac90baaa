import { z } from 'zod';
import { Callback } from './callback.ts';
import { Json } from './json-schema.ts';
import { eventPageFields, taskEventSchemas } from './events.ts';
import { OfOwnOrShared } from './owner.ts';
import { NextCursor, pageQuery } from './paging.ts';
import { Budget, Citation, Metadata, Priority, TaskStatus } from './task.ts';

/** What happens to a message that arrives while a task of its conversation is running. */
export const busyPolicies = ['enqueue', 'interrupt', 'rollback', 'reject', 'steer'] as const;
export const BusyPolicy = z
  .enum(busyPolicies)
  .describe(
    'While a task runs: `enqueue` waits for its turn, `interrupt` cancels the task and keeps what it did, `rollback` cancels it and takes its messages out of the context, `reject` is refused (409), `steer` gives the message to the task at its next step',
  );
export type BusyPolicy = z.infer<typeof BusyPolicy>;

export const MessageId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible ASCII characters')
  .describe('Your own name for the message: sent twice, it is one message');

const Title = z.string().trim().min(1).max(200);
const ConversationId = z.uuid();

export const ConversationRequest = z.strictObject({
  agent: z.string().min(1).max(64).default('knowledge').describe('A name from GET /v1/agents'),
  title: Title.optional().describe('Default: how the first message begins'),
  onBusy: BusyPolicy.optional().describe('Default: the agent’s'),
  metadata: Metadata.optional(),
  budget: Budget.optional().describe('Limits for each of its tasks'),
  priority: Priority.optional(),
  callback: Callback.optional(),
});
export type ConversationRequest = z.infer<typeof ConversationRequest>;

export const ConversationChange = z
  .strictObject({
    title: Title.optional(),
    archived: z.boolean().optional().describe('Archived ones take no messages and are not listed'),
    onBusy: BusyPolicy.optional(),
    agent: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('Who answers from the next turn on: a name from GET /v1/agents'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'name something to change')
  .meta({ minProperties: 1 });
export type ConversationChange = z.infer<typeof ConversationChange>;

export const Conversation = z.object({
  id: ConversationId,
  agent: z.string(),
  title: z.string().nullable(),
  onBusy: BusyPolicy,
  metadata: z.record(z.string(), z.string()),
  archived: z.boolean(),
  messages: z.int().nonnegative().describe('How many it has taken'),
  runningTaskId: z.uuid().nullable(),
  queued: z.int().nonnegative().describe('Messages that wait for their turn'),
  lastSeq: z.int().nonnegative().describe('Sequence number of the newest event'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  links: z.object({ self: z.string(), messages: z.string(), events: z.string(), temporal: z.string() }),
});
export type Conversation = z.infer<typeof Conversation>;

export const ConversationListQuery = z.strictObject({
  agent: z.string().min(1).max(64).optional().describe('Only conversations with this agent'),
  archived: z.enum(['true', 'false']).default('false').describe('true: only archived ones'),
  of: OfOwnOrShared,
  ...pageQuery(),
});
export type ConversationListQuery = z.infer<typeof ConversationListQuery>;
export const ConversationList = z.object({ conversations: z.array(Conversation), nextCursor: NextCursor });

export const MessageText = z.string().trim().min(1).max(20_000);

export const MessageRequest = z
  .strictObject({
    id: MessageId.optional().describe('Default: a new one. Send your own, so that a repeat is safe'),
    text: MessageText.optional(),
    input: z
      .record(z.string(), Json)
      .optional()
      .describe('In place of `text`, for an agent that takes other fields: see GET /v1/agents'),
    onBusy: BusyPolicy.optional().describe('For this message only'),
    budget: Budget.optional(),
    priority: Priority.optional(),
    metadata: Metadata.optional(),
  })
  .refine(({ text, input }) => (text === undefined) !== (input === undefined), 'expected one of text and input')
  .meta({ oneOf: [{ required: ['text'] }, { required: ['input'] }] });
export type MessageRequest = z.infer<typeof MessageRequest>;

/** What a conversation decides about a message that arrives. */
export const messageOutcomes = ['started', 'queued', 'interrupted', 'rolled_back', 'steered', 'rejected'] as const;
export type MessageOutcome = (typeof messageOutcomes)[number];

/** The states of a message. `steering` waits for the running task to read it; `steered` was read by that task. */
export const messageStates = [
  'queued',
  'running',
  'done',
  'passed_over',
  'rolled_back',
  'dropped',
  'steering',
  'steered',
  'rejected',
] as const;
export type MessageState = (typeof messageStates)[number];

export const ConversationMessage = z.object({
  id: z.string(),
  position: z.int().positive().describe('1, 2, 3 … in the order in which the conversation took them'),
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  citations: z.array(Citation).optional(),
  taskId: z.uuid().nullable().describe('The task that it started, or was given to; or that answered'),
  outcome: z.enum(messageOutcomes).nullable().describe('What was decided when it came; null for answers'),
  state: z
    .enum(messageStates)
    .describe(
      '`passed_over`: a later message interrupted before its turn; `rolled_back`: taken out of the context; `dropped`: stopped while it waited',
    ),
  taskStatus: TaskStatus.nullable(),
  createdAt: z.iso.datetime(),
});
export type ConversationMessage = z.infer<typeof ConversationMessage>;

/** The largest value of a Postgres `integer`, the type of the column. */
const maxPosition = 2_147_483_647;

export const MessageListQuery = z.strictObject({
  ...pageQuery({ fits: (cursor) => /^(after|before):\d{1,9}$/.test(cursor) }),
  after: z.coerce.number().int().nonnegative().max(maxPosition).optional().describe('Only positions above this one'),
  before: z.coerce
    .number()
    .int()
    .positive()
    .max(maxPosition)
    .optional()
    .describe('Only positions below this one, the newest of them'),
});
export type MessageListQuery = z.infer<typeof MessageListQuery>;
export const MessageList = z.object({
  messages: z.array(ConversationMessage).describe('In order; an answer follows what it answers'),
  hasMore: z.boolean(),
  nextCursor: NextCursor,
});

/** The answer to a submitted message: the decision, and the task that the message starts or joins. */
export const MessageReceipt = z.object({
  id: z.string(),
  conversationId: ConversationId,
  position: z.int().positive(),
  outcome: z.enum(messageOutcomes),
  taskId: z.uuid().nullable().describe('The task that it starts, or is given to; null when it was rejected'),
  runningTaskId: z.uuid().nullable().describe('The task that ran when it came'),
  links: z.object({ task: z.string().nullable(), conversation: z.string(), events: z.string() }),
});
export type MessageReceipt = z.infer<typeof MessageReceipt>;

export const StopRequest = z.strictObject({
  reason: z.string().max(500).optional(),
  queued: z.enum(['drop', 'keep']).default('drop').describe('What becomes of the messages that wait for their turn'),
  undo: z.boolean().optional().describe('true: undo what the running task changed, newest first'),
});
export type StopRequest = z.infer<typeof StopRequest>;
export const StopReceipt = z.object({
  stoppedTaskId: z.uuid().nullable(),
  dropped: z.array(z.string()).describe('Ids of the messages that will not be answered'),
});
export type StopReceipt = z.infer<typeof StopReceipt>;

const conversationEventSchema = <T extends string, D extends z.ZodRawShape>(type: T, data: D) =>
  z.object({ seq: z.int().positive(), at: z.iso.datetime(), type: z.literal(type), data: z.object(data) });

export const conversationEventSchemas = [
  conversationEventSchema('conversation.message', {
    messageId: z.string(),
    position: z.int().positive(),
    text: z.string(),
    outcome: z.enum(messageOutcomes),
    taskId: z.uuid().nullable(),
    runningTaskId: z.uuid().nullable(),
  }),
  conversationEventSchema('conversation.turn', {
    messageId: z.string(),
    taskId: z.uuid(),
    state: z.enum(messageStates),
  }),
  conversationEventSchema('conversation.stopped', { taskId: z.uuid().nullable(), dropped: z.array(z.string()) }),
  conversationEventSchema('conversation.changed', {
    title: z.string().nullable(),
    archived: z.boolean(),
    onBusy: BusyPolicy,
    agent: z.string().optional().describe('Absent in older events'),
  }),
  conversationEventSchema('conversation.deleted', {}),
] as const;

const withTaskId = <S extends (typeof taskEventSchemas)[number]>(schema: S) =>
  schema.extend({ taskId: z.uuid(), taskSeq: z.int().positive() });

/**
 * An event of a conversation: either an event of the conversation itself, or an event of one of its tasks with the
 * task's id and the event's number within the task (`taskSeq`). `seq` counts within the conversation.
 */
export const ConversationEvent = z.discriminatedUnion('type', [
  ...conversationEventSchemas,
  ...taskEventSchemas.map(withTaskId),
]);
export type ConversationEvent = z.infer<typeof ConversationEvent>;
/** An event of the conversation itself, not of one of its tasks. */
export type OwnConversationEvent = z.infer<(typeof conversationEventSchemas)[number]>;
/**
 * An event of the conversation itself before it is stored and gets its number and time. The conditional type makes one
 * type for each event type, so that `type` and `data` belong together.
 */
export type NewConversationEvent = OwnConversationEvent extends infer E
  ? E extends OwnConversationEvent
    ? Pick<E, 'type' | 'data'>
    : never
  : never;
export const ConversationEventPage = z.object({
  events: z.array(ConversationEvent),
  ...eventPageFields,
});
