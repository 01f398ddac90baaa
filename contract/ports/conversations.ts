import type {
  BusyPolicy,
  ConversationChange,
  ConversationEvent,
  ConversationListQuery,
  ConversationMessage,
  ConversationRequest,
  Conversation as ConversationView,
  MessageListQuery,
  MessageReceipt,
  MessageRequest,
  MessageState,
  StopReceipt,
  StopRequest,
} from '../conversation.ts';
import type { Principal } from '../principal.ts';
import type { TaskInput } from '../task.ts';
import type { BudgetLimits, ConversationRef, MessageHead, Scope, TaskRef, ToolResultRef } from '../references.ts';
import type { CancelNote, TaskRow } from './tasks.ts';

/** A conversation's row without its links, which only the API can build. */
export type ConversationRow = Omit<ConversationView, 'links'>;

/**
 * A message to submit, with the id that identifies it within its conversation. `tool`: a call that its task makes
 * first.
 */
export type NewMessage = Omit<MessageRequest, 'id' | 'text' | 'input'> & { id: string } & TaskInput;

/** The decision about a message, without its links. */
export type Receipt = Omit<MessageReceipt, 'links'>;

/** Conversations and their messages as rows. */
export interface ConversationRows {
  /**
   * Creates a conversation.
   *
   * @param options `onBusy`: the policy of a request that names none. `instructions`: what its tasks add to those of
   *   the agent
   * @returns the new conversation, or the earlier one with the same idempotency key
   * @throws AlfredError `idempotency_key_reused` when the earlier request was another one, or its conversation was
   *   deleted
   */
  create(
    scope: Scope,
    request: ConversationRequest,
    options: { idempotencyKey?: string | undefined; onBusy: BusyPolicy; instructions?: string | undefined },
  ): Promise<ConversationRow>;

  get(scope: Scope, conversationId: string): Promise<ConversationRow | undefined>;

  /**
   * Finds the task of a message whose turn has not begun: it has no row and no events. It is queued while the message
   * waits, and cancelled when the message was passed over, rolled back or dropped.
   *
   * @returns undefined when the task has a row, or when there is no such message
   */
  findComingTask(scope: Scope, taskId: string): Promise<TaskRow | undefined>;

  list(
    scope: Scope,
    query: ConversationListQuery,
  ): Promise<{ conversations: ConversationRow[]; nextCursor: string | null }>;

  /**
   * Changes the given fields and appends an event, if that changes anything.
   *
   * @returns undefined when there is no such conversation
   */
  change(scope: Scope, conversationId: string, change: ConversationChange): Promise<ConversationRow | undefined>;

  /**
   * Hides a conversation and its tasks. The conversation's workflow then erases them.
   *
   * @param only `idleDays`: only if nothing has happened in it for so many days, and no message waits in it
   * @returns undefined when there is no such conversation
   */
  markDeleted(scope: Scope, conversationId: string, only?: { idleDays: number }): Promise<ConversationRef | undefined>;

  /**
   * Lists a page of messages with their answers, in order: the newest messages, or those after or before a position.
   */
  listMessages(
    scope: Scope,
    conversationId: string,
    query: MessageListQuery,
  ): Promise<{ messages: ConversationMessage[]; hasMore: boolean }>;

  /**
   * Stores a message before its conversation decides about it. Safe to repeat.
   *
   * @returns the conversation, and the receipt when the conversation has decided about the message already
   * @throws AlfredError `not_found`, `conversation_archived`, `conversation_full`, `message_id_reused`
   */
  storeMessage(
    principal: Principal,
    conversationId: string,
    message: NewMessage,
  ): Promise<{ conversation: ConversationRef; receipt?: Receipt | undefined }>;

  /**
   * Stores why and how the conversation's workflow must stop the running task.
   *
   * @returns undefined when there is no such conversation
   */
  recordStopRequest(scope: Scope, conversationId: string, note: CancelNote): Promise<ConversationRef | undefined>;

  /**
   * Finds a message and the task of its own turn, which it has unless it was `steered`.
   *
   * @returns undefined when there is no such message, it is not decided yet, or its conversation was deleted
   */
  findMessage(
    scope: Scope,
    conversationId: string,
    messageId: string,
  ): Promise<{ taskId: string; state: MessageState } | undefined>;

  /**
   * Lists conversations of all tenants that have messages to process or must be erased, and that have not changed for
   * `olderThanMs`. The sweep, a periodic check, wakes their workflows.
   *
   * @returns a page of at most `limit` conversations in the order of their ids, which starts after the id `after`
   */
  listOpen(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<ConversationRef[]>;
}

/**
 * The turns of a conversation, for its workflow. A turn is one message and the task that answers it. Every method is
 * idempotent.
 */
export interface ConversationTurns {
  isDeleted(conversation: ConversationRef): Promise<boolean>;

  /**
   * Decides about messages in the given order.
   *
   * @returns the decisions, without unknown ids. A message that was decided before keeps its outcome (`isNew: false`)
   */
  decide(conversation: ConversationRef, messageIds: string[]): Promise<{ receipt: Receipt; isNew: boolean }[]>;

  /**
   * Begins the turn of the next message and inserts its task, which is one of the agent that the conversation has now.
   *
   * @param settingsOf what holds for an agent in the tenant: its limits for one task, and the version of what is set
   * @returns the begun turn, or the turn that is under way; undefined when no message waits
   */
  begin(
    conversation: ConversationRef,
    settingsOf: (agent: string) => { budget: BudgetLimits; version?: number | null | undefined },
  ): Promise<BegunTurn | undefined>;

  /**
   * Ends the turn of a task that has ended: sets the head from which the next turn continues, the states of the turn's
   * messages, and the agent that the task has handed the conversation over to.
   *
   * @returns that agent; undefined when nothing was handed over
   */
  end(conversation: ConversationRef, taskId: string): Promise<string | undefined>;

  /**
   * Hands the stored stop request to the running task, and drops the waiting messages if `queued` is `drop`.
   *
   * @returns the running task, which the workflow must then cancel, and the dropped messages
   */
  stop(conversation: ConversationRef, queued: StopRequest['queued']): Promise<StopReceipt>;

  /**
   * Appends the pending tool results and the steering messages of a running task to its chain, before the model call of
   * a step.
   *
   * @returns `head`: the chain that the step reads; `hasMore`: a later step has messages to take
   */
  takeSteering(
    task: TaskRef,
    at: { step: number; head: MessageHead; results: ToolResultRef[] },
  ): Promise<{ head: MessageHead; hasMore?: true }>;

  /** Reads the id of the running task, also in a deleted conversation. @returns null when no task runs */
  findRunningTask(conversation: ConversationRef): Promise<string | null>;

  /**
   * Removes the content of a deleted conversation. The rows that count the conversation's cost stay.
   *
   * @returns false when nothing was removed, because one of its tasks is being undone
   */
  erase(conversation: ConversationRef): Promise<boolean>;
}

/** A turn that is under way. */
export type BegunTurn = {
  task: TaskRef;
  head: MessageHead;
  /** 1 (first) to 5 (last); undefined for the default. */
  priority: number | undefined;
  /** True: the workflow must cancel the task as soon as it runs. */
  isEnding: boolean;
};

/** The numbered events of a conversation, including those of its tasks. */
export interface ConversationEvents {
  /** Reads at most `limit` events, from the one after number `after` on. */
  read(scope: Scope, conversationId: string, after: number, limit: number): Promise<ConversationEvent[]>;

  /** Yields all events after number `after`, and waits for more. Ends when the conversation is deleted, or on abort. */
  follow(scope: Scope, conversationId: string, after: number, signal: AbortSignal): AsyncIterable<ConversationEvent[]>;
}

/** Sends messages to conversations and waits for their decisions. The API and schedules use it. */
export interface ConversationControl {
  /**
   * Submits a message and waits for the decision. A repeat with the same id submits no second message.
   *
   * @returns the receipt; its `outcome` is `rejected` when the conversation refused the message
   * @throws AlfredError with the codes of `ConversationRows.storeMessage`; `temporal_unavailable` when no decision came
   *   in time
   */
  submit(principal: Principal, conversationId: string, message: NewMessage): Promise<Receipt>;

  /**
   * Stops the running task, and drops or keeps the waiting messages.
   *
   * @throws AlfredError `not_found` when there is no such conversation
   */
  stop(principal: Principal, conversationId: string, request: StopRequest): Promise<StopReceipt>;

  /** Makes a conversation's workflow read its rows. Starts the workflow if it does not run. */
  wake(conversation: ConversationRef): Promise<void>;
}
