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

/** A conversation's row without what only a door can add (links). */
export type ConversationRow = Omit<ConversationView, 'links'>;

/** A message as a door hands it in. */
export type NewMessage = MessageRequest & { id: string };

/** What was decided about a message, without links. */
export type Receipt = Omit<MessageReceipt, 'links'>;

/** Conversations as rows: what people say, in which order, and which task answers. */
export interface ConversationRows {
  /** @throws AlfredError `idempotency_key_reused` when the key made one with another body */
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
  /** With its event, when something changes. */
  change(scope: Scope, conversationId: string, change: ConversationChange): Promise<ConversationRow | undefined>;
  /** From here on nobody sees it or its tasks; its workflow does the rest. @returns undefined when there is none */
  markDeleted(scope: Scope, conversationId: string): Promise<ConversationRef | undefined>;
  listMessages(
    scope: Scope,
    conversationId: string,
    query: MessageListQuery,
  ): Promise<{ messages: ConversationMessage[]; hasMore: boolean }>;
  /**
   * Stores a message before its conversation decides about it. Safe to repeat.
   * @returns the receipt when that has happened already
   * @throws AlfredError `not_found`, `conversation_archived`, `conversation_full`, `message_id_reused`
   */
  storeMessage(
    who: Identity,
    conversationId: string,
    message: NewMessage,
  ): Promise<{ conversation: ConversationRef; receipt?: Receipt | undefined }>;
  /** Stores why and how somebody wants to stop it. @returns undefined when there is none */
  recordStopRequest(scope: Scope, conversationId: string, request: CancelNote): Promise<ConversationRef | undefined>;
  /** Those with something to do, or to erase, that has stood for so long, by id, over all tenants; for the sweep. */
  listOpen(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<ConversationRef[]>;
}

/** The turns of a conversation, as its workflow takes them. All writes are safe to repeat. */
export interface ConversationTurns {
  isDeleted(conversation: ConversationRef): Promise<boolean>;
  /** Decides about messages in this order. One that is decided keeps its outcome; unknown ones are left out. */
  decide(conversation: ConversationRef, messageIds: string[]): Promise<{ receipt: Receipt; isNew: boolean }[]>;
  /** Begins the next message's turn with the row of its task. @returns the turn that is under way, if one is */
  begin(conversation: ConversationRef, agentBudget: BudgetLimits): Promise<BegunTurn | undefined>;
  /** Ends the turn of a task that has ended: where the conversation goes on from, and what becomes of its messages. */
  end(conversation: ConversationRef, taskId: string): Promise<void>;
  /** Tells the running task why it is stopped, and drops what waits. @returns that task, which is yet to be cancelled */
  stop(conversation: ConversationRef, queued: StopRequest['queued']): Promise<StopReceipt>;
  /** Puts the messages that were given to a task behind its chain, after the results that are pending. */
  /** @returns the chain with what the step reads; `hasMore`: messages came after the step had taken its own */
  takeSteering(
    task: TaskRef,
    at: { step: number; head: MessageHead; results: ToolResultRef[] },
  ): Promise<{ head: MessageHead; hasMore?: true }>;
  /** The task whose turn it is, also of a deleted conversation. */
  findRunningTask(conversation: ConversationRef): Promise<string | null>;
  /** Removes what was said in a deleted conversation; what it cost stays. */
  erase(conversation: ConversationRef): Promise<void>;
}

export type BegunTurn = {
  task: TaskRef;
  head: MessageHead;
  priority: number | undefined;
  /** Somebody has asked to end it: it is cancelled as soon as it runs. */
  isEnding: boolean;
};

/** What may be watched of a conversation, its tasks' events among it. */
export interface ConversationEvents {
  read(scope: Scope, conversationId: string, after: number, limit: number): Promise<ConversationEvent[]>;
  /** Yields every event after `after`, waits for more, and ends when the conversation was deleted, or on abort. */
  follow(scope: Scope, conversationId: string, after: number, signal: AbortSignal): AsyncIterable<ConversationEvent[]>;
}

/** Speaks to conversations: for every door, and for whoever speaks in one by itself. */
export interface Messages {
  /**
   * Hands a message in and waits for what is decided about it. The same id again is the same message.
   * @returns the receipt; `outcome` is `rejected` when it was not taken
   * @throws AlfredError as `ConversationRows.receive`; `temporal_unavailable` when nobody decided in time
   */
  submit(who: Identity, conversationId: string, message: NewMessage): Promise<Receipt>;
  /** Stops what runs, and drops or keeps what waits. @throws AlfredError `not_found` */
  stop(who: Identity, conversationId: string, request: StopRequest): Promise<StopReceipt>;
  /** Has a conversation look at its rows. */
  wake(conversation: ConversationRef): Promise<void>;
}
