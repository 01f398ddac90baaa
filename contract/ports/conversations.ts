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
  StopReceipt,
  StopRequest,
} from '../conversation.ts';
import type { BudgetLimits, ConversationRef, MessageHead, Scope, TaskRef, ToolResultRef } from '../references.ts';
import type { Identity } from './identity.ts';
import type { CancelNote } from './tasks.ts';

/** A conversation's row without its links, which only doors can build. */
export type ConversationRow = Omit<ConversationView, 'links'>;

/** A message as a door submits it. */
export type NewMessage = MessageRequest & { id: string };

/** The decision about a message, without links. */
export type Receipt = Omit<MessageReceipt, 'links'>;

/** Conversations and their messages as rows. */
export interface ConversationRows {
  /**
   * @returns the new conversation, or the earlier one with the same idempotency key
   * @throws AlfredError `idempotency_key_reused` when the earlier
   *   request was another one, or its conversation was deleted
   */
  create(
    scope: Scope,
    request: ConversationRequest,
    options: { idempotencyKey?: string | undefined; onBusy: BusyPolicy },
  ): Promise<ConversationRow>;
  get(scope: Scope, conversationId: string): Promise<ConversationRow | undefined>;
  list(
    scope: Scope,
    query: ConversationListQuery,
  ): Promise<{ conversations: ConversationRow[]; nextCursor: string | null }>;
  /** Changes the given fields and appends an event, if that changes anything. @returns undefined when there is none */
  change(scope: Scope, conversationId: string, change: ConversationChange): Promise<ConversationRow | undefined>;
  /**
   * Hides a conversation and its tasks. Its workflow then erases them.
   *
   * @returns undefined when there is none
   */
  markDeleted(scope: Scope, conversationId: string): Promise<ConversationRef | undefined>;
  /** A page of messages with their answers, in order: the newest ones, or those after or before a position. */
  listMessages(
    scope: Scope,
    conversationId: string,
    query: MessageListQuery,
  ): Promise<{ messages: ConversationMessage[]; hasMore: boolean }>;
  /**
   * Stores a message before its conversation decides about it. Safe to repeat.
   *
   * @returns the conversation, and the receipt when it has decided already
   * @throws AlfredError `not_found`, `conversation_archived`, `conversation_full`, `message_id_reused`
   */
  storeMessage(
    who: Identity,
    conversationId: string,
    message: NewMessage,
  ): Promise<{ conversation: ConversationRef; receipt?: Receipt | undefined }>;
  /** Stores why and how the running task is to be stopped, for the workflow. @returns undefined when there is none */
  recordStopRequest(scope: Scope, conversationId: string, note: CancelNote): Promise<ConversationRef | undefined>;
  /**
   * A page of conversations with messages to process, or to be erased, that
   * have not changed for `olderThanMs`; by id, over all tenants; for the sweep.
   */
  listOpen(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<ConversationRef[]>;
}

/** The turns of a conversation, for its workflow. A turn is one message and the task that answers it. Idempotent. */
export interface ConversationTurns {
  isDeleted(conversation: ConversationRef): Promise<boolean>;
  /**
   * Decides about messages in this order. A message that was decided
   * before keeps its outcome (`isNew: false`); unknown ids are left out.
   */
  decide(conversation: ConversationRef, messageIds: string[]): Promise<{ receipt: Receipt; isNew: boolean }[]>;
  /**
   * Begins the turn of the next message and inserts its task.
   *
   * @returns the begun turn, or the one that is under way; undefined when no message waits
   */
  begin(conversation: ConversationRef, agentBudget: BudgetLimits): Promise<BegunTurn | undefined>;
  /**
   * Ends the turn of a task that has ended: sets the head that the next turn goes on from, and the messages' states.
   */
  end(conversation: ConversationRef, taskId: string): Promise<void>;
  /**
   * Hands the stored stop request to the running task, and drops waiting messages if `queued` is `drop`.
   *
   * @returns the running task, which the workflow must then cancel, and the dropped messages
   */
  stop(conversation: ConversationRef, queued: StopRequest['queued']): Promise<StopReceipt>;
  /**
   * Appends the pending results and the steering messages of a running task to its chain, before the call of a step.
   *
   * @returns the head that the step reads; `hasMore`: messages came after the step had taken its own
   */
  takeSteering(
    task: TaskRef,
    at: { step: number; head: MessageHead; results: ToolResultRef[] },
  ): Promise<{ head: MessageHead; hasMore?: true }>;
  /** The id of the running task, also of a deleted conversation. */
  findRunningTask(conversation: ConversationRef): Promise<string | null>;
  /** Removes the content of a deleted conversation. The rows that count its cost stay. */
  erase(conversation: ConversationRef): Promise<void>;
}

/** A turn that is under way. */
export type BegunTurn = {
  task: TaskRef;
  head: MessageHead;
  priority: number | undefined;
  /** The task is to be ended: the workflow cancels it as soon as it runs. */
  isEnding: boolean;
};

/** The numbered events of a conversation, including those of its tasks. */
export interface ConversationEvents {
  /** A page of the events after number `after`. */
  read(scope: Scope, conversationId: string, after: number, limit: number): Promise<ConversationEvent[]>;
  /** Yields every event after `after` and waits for more. Ends when the conversation is deleted, and on abort. */
  follow(scope: Scope, conversationId: string, after: number, signal: AbortSignal): AsyncIterable<ConversationEvent[]>;
}

/** Sends messages to conversations and waits for their decisions: for doors and schedules. */
export interface ConversationControl {
  /**
   * Submits a message and waits for the decision. The same id again is the same message.
   *
   * @returns the receipt; its `outcome` is `rejected` when the conversation refused the message
   * @throws AlfredError as `ConversationRows.storeMessage`; `temporal_unavailable` when no decision came in time
   */
  submit(who: Identity, conversationId: string, message: NewMessage): Promise<Receipt>;
  /** Stops the running task, and drops or keeps the waiting messages. @throws AlfredError `not_found` */
  stop(who: Identity, conversationId: string, request: StopRequest): Promise<StopReceipt>;
  /** Makes a conversation's workflow read its rows; starts it if it does not run. */
  wake(conversation: ConversationRef): Promise<void>;
}
