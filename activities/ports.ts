import type { Approval, ApprovalListQuery, ApprovalRule, ApprovalRuleInput } from '../contract/approval.ts';
import type { CallbackState } from '../contract/callback.ts';
import type {
  Conversation as ConversationView,
  ConversationChange,
  ConversationEvent,
  ConversationListQuery,
  ConversationMessage,
  ConversationRequest,
  MessageListQuery,
  MessageReceipt,
  MessageRequest,
  StopReceipt,
  StopRequest,
} from '../contract/conversation.ts';
import type { Ingestion, Document, DocumentList, DocumentListQuery, Passage } from '../contract/documents.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { NewTaskEvent, TaskEvent } from '../contract/events.ts';
import type { BusyPolicy } from '../contract/conversation.ts';
import type { JsonValue } from '../contract/json.ts';
import type { AssistantPart, StoredMessage } from '../contract/messages.ts';
import type { Price } from '../contract/price.ts';
import type {
  BudgetLimits,
  CallbackRef,
  ContentHash,
  ConversationRef,
  Correction,
  Head,
  PendingApproval,
  ScheduledRun,
  Scope,
  Stop,
  TaskRef,
  ToolCallRef,
  ToolMisuse,
  ToolResultRef,
  Turn,
  Usage,
  Verdict,
} from '../contract/references.ts';
import type {
  Schedule,
  ScheduleAction,
  ScheduleChange,
  ScheduleListQuery,
  ScheduleRequest,
} from '../contract/schedule.ts';
import type { Closure, WorkflowState } from '../contract/task-truth.ts';
import type { Task, TaskListQuery, TaskRequest, TaskResult } from '../contract/task.ts';
import type { UsageReport, UsageSpan } from '../contract/usage.ts';

export type { Closure, WorkflowState };

/** Who asks, and with which roles. */
export type Identity = Scope & { roles: readonly string[] };

/** The Temporal run that writes; another run than the row's means that the workflow was reset. */
export type Run = { runId: string };

/** A task's row without what only a door can add (links). */
export type TaskRow = Omit<Task, 'links'>;

/** What decides whether a row agrees with its workflow. */
export type TaskState = TaskRef & { status: Task['status']; runId: string | null; updatedAt: Date; lastSeq: number };

/** Why and how a task shall be cancelled. */
export type CancelNote = { reason?: string | undefined; undo?: boolean | undefined; by?: string | undefined };

/** Task rows and their events. All writes are idempotent and keep row and events in one transaction. */
export interface Tasks {
  /**
   * Stores the request before its workflow starts.
   * @param options `budget`: the agent's own limits; of each and the request's the tighter one counts
   * @returns the task, or the one that the same idempotency key made before
   * @throws AlfredError `idempotency_key_reused` when that one had another body
   */
  create(
    scope: Scope & Partial<Identity>,
    request: TaskRequest,
    options: { idempotencyKey?: string | undefined; budget?: BudgetLimits | undefined },
  ): Promise<TaskRow & { head: Head; isNew: boolean }>;
  get(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
  list(scope: Scope, query: TaskListQuery): Promise<{ tasks: TaskRow[]; nextCursor: string | null }>;
  /** queued → running. Safe to repeat. */
  start(task: TaskRef, run: Run, model: string): Promise<{ budget: BudgetLimits }>;
  /** The row speaks for the run that continues `from` (continue-as-new). Safe to repeat. */
  carryOn(task: TaskRef, run: Run, from: string): Promise<void>;
  /** running → waiting, with its event. Safe to repeat. */
  wait(task: TaskRef, run: Run, stop: Stop): Promise<void>;
  /** waiting → running, with its event. Safe to repeat. */
  resume(task: TaskRef, run: Run, reason: string): Promise<void>;
  /** Keeps why and how somebody wants a task cancelled; its workflow reads it when it is. Safe to repeat. */
  askToCancel(scope: Scope, taskId: string, request: CancelNote): Promise<void>;
  /** The roles of who asked for it. */
  rolesOf(task: TaskRef): Promise<string[]>;
  /** Widens the limits of a task that has not ended. @returns all its limits */
  grant(task: TaskRef, run: Run, more: BudgetLimits): Promise<BudgetLimits>;
  /** Stores what a task answers. Safe to repeat. @returns its hash, for `complete` */
  storeResult(scope: Scope, result: TaskResult): Promise<ContentHash>;
  /** @returns the ended row, or undefined when this run had ended it before */
  complete(task: TaskRef, run: Run, result: ContentHash): Promise<TaskRow | undefined>;
  /** As `complete`; without a run (the workflow is gone) only a row that has not ended is closed. */
  close(task: TaskRef, run: Run | undefined, closure: Closure): Promise<TaskRow | undefined>;
  /** Why and how somebody asks to cancel it, for its workflow to read. Safe to repeat: the newest counts. */
  askToCancel(scope: Scope, taskId: string, request: CancelNote): Promise<void>;
  /**
   * Brings a row in line with what Temporal said about its workflow (contract/task-truth.ts).
   * @param state asked before this call, so that the row is the younger of the two
   * @returns what was found when the row was wrong, undefined when it was right
   */
  correct(taskId: string, state: WorkflowState): Promise<string | undefined>;
  /** Rows that are not ended, by id, over all tenants; for the sweep. */
  open(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<TaskState[]>;
  /** Rows of these ids, over all tenants; for the sweep. */
  states(taskIds: string[]): Promise<TaskState[]>;
}

/** Events a person may watch, in sequence, for the task's whole life. */
export interface TaskEvents {
  read(scope: Scope, taskId: string, after: number, limit: number): Promise<TaskEvent[]>;
  /** Yields every event after `after`, waits for more, and ends after a terminal event or on abort. */
  follow(scope: Scope, taskId: string, after: number, signal: AbortSignal): AsyncIterable<TaskEvent[]>;
  /** Resolves when the task has ended, or on abort. */
  ended(taskId: string, signal: AbortSignal): Promise<void>;
  /** Appends an event of this run, unless the task has ended or has that very event. */
  appendOnce(task: TaskRef, run: Run, event: NewTaskEvent): Promise<void>;
  /** Appends text of the attempt that may stream. @returns false when a newer attempt took over or the task has ended */
  appendText(task: TaskRef, at: Run & { step: number; attempt: number }, text: string): Promise<boolean>;
}

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
  messages(
    scope: Scope,
    conversationId: string,
    query: MessageListQuery,
  ): Promise<{ messages: ConversationMessage[]; hasMore: boolean }>;
  /**
   * Stores a message before its conversation decides about it. Safe to repeat.
   * @returns the receipt when that has happened already
   * @throws AlfredError `not_found`, `conversation_archived`, `conversation_full`, `message_id_reused`
   */
  receive(
    who: Identity,
    conversationId: string,
    message: NewMessage,
  ): Promise<{ conversation: ConversationRef; receipt?: Receipt | undefined }>;
  /** Stores why and how somebody wants to stop it. @returns undefined when there is none */
  askToStop(scope: Scope, conversationId: string, request: CancelNote): Promise<ConversationRef | undefined>;
  /** Those with something to do, or to erase, that has stood for so long, by id, over all tenants; for the sweep. */
  open(options: { olderThanMs: number; after: string | undefined; limit: number }): Promise<ConversationRef[]>;
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
    at: { step: number; head: Head; results: ToolResultRef[] },
  ): Promise<{ head: Head; hasMore?: true }>;
  /** The task whose turn it is, also of a deleted conversation. */
  runningTask(conversation: ConversationRef): Promise<string | null>;
  /** Removes what was said in a deleted conversation; what it cost stays. */
  erase(conversation: ConversationRef): Promise<void>;
}

export type BegunTurn = {
  task: TaskRef;
  head: Head;
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

/** A stored message with its tool results filled in, as a model gets them. */
export type Message =
  | Exclude<StoredMessage, { role: 'tool' }>
  | { role: 'tool'; results: { callId: string; tool: string; output: JsonValue; isError: boolean }[] };

/** A conversation as it goes to a model, oldest message first. */
export type Conversation = {
  messages: Message[];
  /** The same messages as they are stored, for whoever makes the chain shorter. */
  stored: StoredMessage[];
  /** The last message whose size a model has counted: its place in `messages`, and the tokens up to and including it. */
  counted?: { index: number; tokens: number; by: string } | undefined;
};

export interface Conversations {
  append(scope: Scope, parent: Head | null, message: StoredMessage): Promise<Head>;
  /** The chain back to its root or its last compaction, tool results resolved. */
  load(scope: Scope, head: Head): Promise<Conversation>;
  /** As `load`, and on behind every compaction: all that was ever said. */
  loadAll(scope: Scope, head: Head): Promise<Message[]>;
  /** Stored tool results by their hashes. */
  results(scope: Scope, hashes: ContentHash[]): Promise<JsonValue[]>;
  /** Stores a chain that begins with a compaction. Safe to repeat. @returns its head */
  replace(scope: Scope, messages: StoredMessage[]): Promise<Head>;
  /** A stored tool result of the task or an earlier one of its conversation, by its call's id, as text. */
  toolResult(scope: Scope, taskId: string, callId: string): Promise<string | undefined>;
  /** What the message at `head` asks a tool with, by the call's id. `malformed`: what came instead of JSON. */
  toolArguments(scope: Scope, head: Head, callId: string): Promise<{ arguments: JsonValue; malformed?: string }>;
}

/** The ledger of model calls and the receipts of tool calls. */
export interface Ledger {
  /**
   * Charges the worst case of a call to every budget it draws on, marks this attempt as the one that may stream and
   * tells followers, unless the step is paid. Attempts that were never heard of again are written down as lost.
   *
   * @returns what an earlier attempt at this step stored, if one did
   * @throws AlfredError `superseded` when this run has ended the task, `budget_exceeded` (with `details`) when the worst
   *   case does not fit: nothing is charged then; `model_unavailable` when too many attempts were lost
   */
  beginModelCall(task: TaskRef, call: OpenModelCall): Promise<PaidCall | undefined>;
  /**
   * Stores the response, the ledger row and the events in one transaction, unless another attempt was first. What was
   * charged too much goes back.
   * @returns what counts: this response, or the first one
   */
  settleModelCall(task: TaskRef, call: CompletedModelCall): Promise<PaidCall>;
  /** @returns how many attempts at this step have failed this way, this one included */
  failModelCall(task: TaskRef, call: FailedModelCall): Promise<number>;
  /** Writes off attempts that nobody can hear of again: their task has ended. @returns how many */
  writeOffLost(): Promise<number>;
  /** What was stored for a step, if it was paid. */
  paid(task: TaskRef, step: number, purpose: Purpose): Promise<PaidCall | undefined>;
  /** Spending of the scope's tenant, summed. */
  usage(scope: Scope, span: UsageSpan): Promise<UsageReport>;
  /**
   * Stores the intent, of an effect with its input.
   * @returns the stored result of an earlier attempt, or whether an earlier one left without an answer
   */
  beginToolCall(task: TaskRef, call: Run & ToolCallRef & { step: number; arguments: JsonValue }): Promise<ToolReceipt>;
  settleToolCall(
    task: TaskRef,
    call: ToolCallRef & {
      step: number;
      output: JsonValue;
      isError: boolean;
      misuse?: ToolMisuse | undefined;
      summary: string;
      durationMs: number;
      /** A longer result is kept whole and given to the model as its head and a way to read on. */
      maxCharacters: number;
    },
  ): Promise<ToolResultRef>;
}

export type ToolReceipt = { result: ToolResultRef } | { result: undefined; left: boolean };

/** One tool call of a task. */
export type ToolCallKey = { step: number; callId: string };

/** Something a task has changed in the world, with what its undo needs. */
export type Undo = { tool: string; input: JsonValue; output: JsonValue | undefined; left: boolean };
export type UndoState = 'undone' | 'failed' | 'impossible' | 'unknown';

/** When effects leave, and how they are taken back. */
export interface Effects {
  /**
   * Right before the request that nothing can call back. Of several attempts one leaves.
   * @param again also when an earlier attempt has left
   * @throws AlfredError `superseded` when the task has ended, `effect_unknown` when another attempt has left
   */
  leave(task: TaskRef, run: Run, call: ToolCallKey, again: boolean): Promise<void>;
  /** What left is known to have changed nothing. */
  comeBack(task: TaskRef, call: ToolCallKey, of: 'call' | 'undo'): Promise<void>;
  /** Why a task shall be cancelled, and what of its effects shall be taken back, newest first. */
  cancellation(task: TaskRef): Promise<{ undo: ToolCallKey[] }>;
  /** @returns undefined when it was settled before; `left`: an attempt to undo left without an answer */
  beginUndo(task: TaskRef, call: ToolCallKey): Promise<Undo | undefined>;
  /** @throws AlfredError `effect_unknown` when another attempt has left */
  leaveUndo(task: TaskRef, call: ToolCallKey, again: boolean): Promise<void>;
  /** Once, with its event: the first outcome counts. */
  settleUndo(task: TaskRef, call: ToolCallKey, outcome: { state: UndoState; summary: string }): Promise<void>;
}

/** A verdict with what must not stand in a history. */
export type ApprovedCall = Verdict & { arguments: JsonValue; comment: string | null };

export type ApprovalRow = Omit<Approval, 'links'>;
/** What a person adds to a decision. */
export type DecisionNote = { comment?: string | undefined; edit?: { [key: string]: JsonValue } | undefined };

export type AskedApproval = Pick<PendingApproval, 'id' | 'argumentsHash'>;

/** Calls that wait for a person. */
export interface Approvals {
  /** Asks, with the events. Safe to repeat: what was decided before stays decided. */
  request(
    task: TaskRef,
    run: Run,
    calls: (ToolCallKey & { tool: string; arguments: JsonValue; rule: ApprovalRule })[],
  ): Promise<({ pending: PendingApproval } | { verdict: Verdict })[]>;
  escalate(task: TaskRef, run: Run, approvalId: string): Promise<void>;
  /**
   * Once: the first decision counts. @returns the one that does
   * @param asked with the arguments' hash as the workflow remembers it, whatever the row says by now
   */
  decide(
    task: TaskRef,
    run: Run,
    asked: AskedApproval,
    decision: { approve: boolean; by: string; note: DecisionNote },
  ): Promise<Verdict>;
  /** Its time is over: what its rule says counts. */
  expire(task: TaskRef, run: Run, asked: AskedApproval): Promise<Verdict>;
  /** What was decided about a call, if anything was asked. */
  verdictOn(task: TaskRef, call: ToolCallKey): Promise<ApprovedCall | undefined>;
  /** Keeps what a person adds, so that a history carries its hash only. */
  keepNote(approvalId: string, note: DecisionNote): Promise<ContentHash>;
  note(approvalId: string, hash: ContentHash): Promise<DecisionNote>;
  /** What this person asked for or may decide. */
  get(identity: Identity, approvalId: string): Promise<ApprovalRow | undefined>;
  list(identity: Identity, query: ApprovalListQuery): Promise<{ approvals: ApprovalRow[]; nextCursor: string | null }>;
}

/** What a call is for: a turn of the loop, or a summary that makes the conversation with that head shorter. */
export type Purpose = 'turn' | 'summary' | `summary/${Head}`;

/** What is stored for a paid call: the turn, and for a summary its text. */
export type PaidCall = { turn: Turn; text: string };

/** A limit that a call draws on; a task's own stands in its row, so that a grant can widen it. */
export type DayLimit = {
  id: string;
  maxUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxCalls?: number | undefined;
};

export type OpenModelCall = Run & {
  /** Names this attempt. */
  callId: string;
  step: number;
  attempt: number;
  purpose: Purpose;
  provider: string;
  model: string;
  /** Input as large, output as long and both as dear as they can be. */
  worstCase: Usage;
  dayLimits: DayLimit[];
};

type ModelCallRecord = {
  callId: string;
  step: number;
  attempt: number;
  purpose: Purpose;
  provider: string;
  model: string;
  usage: Usage;
  durationMs: number;
  firstTokenMs: number | null;
};
export type CompletedModelCall = ModelCallRecord & {
  parent: Head;
  parts: AssistantPart[];
  stopReason: string;
  /** Present when this is the final answer. */
  result?: TaskResult | undefined;
  /** Present when the answer cannot be used and the model is told so. */
  correction?: { because: Correction; text: string } | undefined;
};
export type FailedModelCall = ModelCallRecord & { code: ErrorCode; message: string; mayRetry: boolean };

export type ToolDescription = { name: string; description: string; inputSchema: Record<string, JsonValue> };

export type ModelRequest = {
  /** The model's name without its provider. */
  model: string;
  instructions: string;
  messages: Message[];
  tools: ToolDescription[];
  maxOutputTokens: number;
  /** When given, the answer is one JSON value that fits it. Providers that can enforce it do. */
  outputSchema?: Record<string, JsonValue> | undefined;
  /** Deterministic, independent of the attempt. */
  idempotencyKey: string;
};
export type StopReason = 'end' | 'tools' | 'max_tokens' | 'refusal';
/** What a provider says about its limits in the headers of a response; per minute, and what is left of it. */
export type ProviderLimits = {
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
  requestsLeft?: number | undefined;
  tokensLeft?: number | undefined;
};
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'usage'; usage: Omit<Usage, 'costUsd'> }
  | { type: 'limits'; limits: ProviderLimits }
  | { type: 'end'; parts: AssistantPart[]; stopReason: StopReason };

/** One model provider. Its client never retries; Temporal does. Errors are AlfredErrors. */
export interface ModelProvider {
  readonly name: string;
  /** Streams one response; `usage` may come several times, the last one counts; `end` comes once, last. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Input tokens of a request as the provider counts them, where it does so without a charge. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<number>;
}

/** What is known of a model before it is called. */
export type ModelFacts = {
  /** `provider:model` */
  name: string;
  price: Price;
  /** Input and output together. */
  contextTokens: number;
  maxOutputTokens: number;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
};

export interface ModelCatalog {
  /** @throws AlfredError `model_unconfigured` when the model's price is unknown: nothing is free by mistake */
  factsOf(model: string): ModelFacts;
}

/** Whether a model may be called now, as all workers together see it: its provider's health and its rate limits. */
export interface ModelGate {
  /**
   * `outage`: the provider is down, and this is not the moment of a probe. `rate`: come back after so long; at most a
   * minute.
   * @param tokens of the call, as estimated; they count against the limit
   */
  enter(
    facts: ModelFacts,
    tokens: number,
  ): Promise<{ open: true } | { open: false; why: 'outage' } | { open: false; why: 'rate'; retryAfterMs: number }>;
  /** After a response; closes the circuit, corrects the estimate, learns the limits that the provider names. */
  succeeded(
    model: string,
    outcome: { tokens: number; estimated: number; limits?: ProviderLimits | undefined },
  ): Promise<void>;
  /** After a failure that speaks of the provider's health. @returns whether the circuit is open now */
  failed(model: string): Promise<boolean>;
  /** After a 429: nobody asks before then. */
  limited(model: string, retryAfterMs: number): Promise<void>;
}

/** Tasks that wait for a model. */
export interface ParkedTasks {
  /** A task that comes back within the same outage keeps its place in line. Safe to repeat. */
  park(task: TaskRef, model: string): Promise<void>;
  leave(taskId: string): Promise<void>;
  /**
   * Takes the next tasks whose turn it is: tenant by tenant, the oldest first within one; while the circuit is open,
   * those first that have probed least. A task that was released and is still here after half a minute has its turn again.
   */
  release(model: string, limit: number): Promise<string[]>;
  count(model: string): Promise<number>;
  /**
   * The state of an outage: whether the model's circuit is open, when a probe is next let through (below zero: for how long
   * one might have been), how long ago a task was last released, and how many wait.
   */
  circuit(model: string): Promise<{ open: boolean; probeInMs: number; releasedMsAgo: number; parked: number }>;
}

export type ToolContext = {
  scope: Scope;
  taskId: string;
  /** The same for every attempt at this call. */
  receiptKey: string;
  signal: AbortSignal;
  /**
   * A tool that changes something calls it right before the request that nothing can call back: an attempt that dies
   * before is simply made again, one that dies after has an unknown outcome.
   */
  leaving: () => Promise<void>;
};

/** What the model reads, and one line for people. */
export type ToolOutcome = { output: JsonValue; summary: string };

/** Something an agent may do. Errors with a code that is not retryable go back to the model. */
export interface Tool extends ToolDescription {
  /** It changes something in the world; its calls run under a receipt that knows when they left. */
  effect?: 'write';
  /** Calls of it that wait for a person whichever agent makes them, unless a rule of the agent speaks of them first. */
  approvals?: readonly Omit<ApprovalRuleInput, 'tool'>[];
  /** The receiver tells repeats apart by the receipt key: a call whose outcome is unknown is made again. */
  repeatable?: true;
  /** @throws AlfredError `invalid_request` when the input does not fit */
  check?(input: JsonValue): void;
  /** @throws AlfredError `effect_unknown` when the call left and no answer came; any other one says that nothing happened */
  run(input: JsonValue, context: ToolContext): Promise<ToolOutcome>;
  /** What became of a call that left: asked when no answer came. */
  reconcile?(
    input: JsonValue,
    context: ToolContext,
  ): Promise<({ state: 'done' } & ToolOutcome) | { state: 'not_done' } | { state: 'unknown' }>;
  /** Takes back what a call did. Runs under a receipt of its own. @returns one line for people */
  undo?(input: JsonValue, output: JsonValue, context: ToolContext): Promise<{ summary: string }>;
}

/** Signed posts to addresses that somebody else named. */
export interface Webhooks {
  /**
   * Posts a body as JSON, signed as Standard Webhooks says, to a public address.
   *
   * @param webhook `secret`: `whsec_…`; `id`: the same for every attempt, so that the receiver can tell repeats apart
   * @param options `leaving` runs when the connection stands and nothing has been sent
   * @returns whatever the receiver answered; redirects are not followed
   * @throws AlfredError `destination_forbidden`, `tool_failed`: nothing was sent; `effect_unknown`: something
   *   was, and no answer came
   */
  send(
    webhook: { url: string; secret: string; id: string; body: unknown },
    options: { signal: AbortSignal; leaving?: () => Promise<void> },
  ): Promise<WebhookAnswer>;
}
/** `receiver`: host and port, which is all of the address that may be kept or shown. `text`: the beginning of the body. */
export type WebhookAnswer = { receiver: string; status: number; text: string; retryAfterMs?: number };

/** Who is told when a task ends. */
export interface Callbacks {
  get(scope: Scope, taskId: string): Promise<CallbackState | undefined>;
  /** Makes the callback of an ended task due once more, as a delivery of its own. */
  again(scope: Scope, taskId: string): Promise<void>;
  /** Begins an attempt, if the task has ended and its callback is due. */
  begin(scope: Scope, taskId: string): Promise<CallbackAttempt | undefined>;
  /** Writes down how an attempt went, unless something newer has happened to the callback. */
  settle(scope: Scope, taskId: string, attempt: CallbackAttempt, outcome: CallbackOutcome): Promise<void>;
  /** Ends a delivery without another attempt. */
  giveUp(scope: Scope, taskId: string): Promise<void>;
  /** Callbacks of ended tasks that nobody seems to deliver, over all tenants; for the sweep. */
  forgotten(limit: number): Promise<CallbackRef[]>;
}
/** `delivery` and `attempt` count from 1: deliveries of this callback, attempts over all of them. */
export type CallbackAttempt = { url: string; secret: string; delivery: number; attempt: number };
/** `delivering`: there will be another attempt. */
export type CallbackOutcome = {
  state: 'delivering' | 'delivered' | 'failed';
  status: number | null;
  error: string | null;
};

export type Block = { headingPath: string[]; page: number | null; text: string; start: number; end: number };
export type ParsedDocument = { title: string; text: string; chunks: Block[] };

export interface DocumentParser {
  /** @throws AlfredError `file_*` with the reason */
  parse(file: { name: string; mediaType: string; bytes: Uint8Array }, signal: AbortSignal): Promise<ParsedDocument>;
}

export type UploadedFile = { name: string; mediaType: string; bytes: Uint8Array };
export type PendingFile = {
  ordinal: number;
  name: string;
  mediaType: string;
  contentHash: ContentHash;
  sizeBytes: number;
};
/** One file of an ingestion. */
export type UploadRef = { ingestionId: string; ordinal: number };
export type FileOutcome =
  | { state: 'added' | 'replaced' | 'unchanged'; documentId: string }
  | { state: 'failed'; code: ErrorCode; message: string };

/** Documents, their chunks, and uploads on their way in. Postgres is the truth; an index is derived from it. */
export interface Documents {
  list(scope: Scope, query: DocumentListQuery): Promise<DocumentList>;
  get(scope: Scope, documentId: string): Promise<Document | undefined>;
  /** With the whole text, which passages' offsets (UTF-16 code units) count into. */
  read(scope: Scope, documentId: string): Promise<{ document: Document; text: string } | undefined>;
  delete(scope: Scope, documentId: string): Promise<boolean>;
  /**
   * Same name and content: nothing is written, nor parsed. Same name, other content: the chunks are replaced. Readers see
   * the old or the new version, never a mixture. An upload is settled in the same transaction.
   */
  put(
    scope: Scope,
    file: Omit<PendingFile, 'ordinal'>,
    parse: () => Promise<ParsedDocument>,
    upload?: UploadRef,
  ): Promise<FileOutcome>;
  /** Stores the files with their bytes; nothing is read yet. @returns the ingestion's id */
  createIngestion(scope: Scope, files: UploadedFile[]): Promise<string>;
  ingestion(scope: Scope, ingestionId: string): Promise<Omit<Ingestion, 'links'> | undefined>;
  pendingFiles(scope: Scope, ingestionId: string, limit: number): Promise<PendingFile[]>;
  /** The bytes of an uploaded file. */
  file(scope: Scope, hash: ContentHash): Promise<Uint8Array | undefined>;
  /** Once: a file that is settled stays as it is. */
  settleFile(scope: Scope, upload: UploadRef, outcome: FileOutcome): Promise<void>;
  /** Once: the first end counts. Files that are still pending then are given up, and their bytes removed. */
  endIngestion(scope: Scope, ingestionId: string, status: 'completed' | 'failed' | 'cancelled'): Promise<void>;
}

/** A schedule's row: all but what Temporal knows of it. Its action has the secrets that views leave out. */
export type ScheduleRow = Omit<Schedule, 'action' | 'state' | 'nextRuns' | 'links'> &
  Scope & { action: ScheduleAction };

/** Schedules, and what became of their runs. When they run is Temporal's to know. */
export interface Schedules {
  /**
   * @returns the schedule, or the one that the same idempotency key made before
   * @throws AlfredError `idempotency_key_reused` when that one had another body, or was deleted
   */
  create(
    identity: Identity,
    request: ScheduleRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<ScheduleRow>;
  get(scope: Scope, scheduleId: string): Promise<ScheduleRow | undefined>;
  list(scope: Scope, query: ScheduleListQuery): Promise<{ schedules: ScheduleRow[]; nextCursor: string | null }>;
  /**
   * Changes the row and tells Temporal before anybody sees it; what `tell` throws takes the change back. Changes of one
   * schedule wait for each other, so that both sides end with the last one.
   */
  change(
    scope: Scope,
    scheduleId: string,
    change: ScheduleChange,
    tell: (row: ScheduleRow) => Promise<void>,
  ): Promise<ScheduleRow | undefined>;
  /** As `change`. The row is hidden: its runs go on to belong to it. @returns whether there was one */
  delete(scope: Scope, scheduleId: string, tell: (id: string) => Promise<void>): Promise<boolean>;
  /** Takes back a schedule that never came to be; one that has run stays. */
  discard(scope: Scope, scheduleId: string): Promise<void>;
  /**
   * What a run is to do, for whom, and the task that it has made before.
   * @returns undefined when the schedule was deleted
   */
  run(
    run: ScheduledRun,
  ): Promise<{ identity: Identity; action: ScheduleAction; task: (TaskRef & { head: Head }) | undefined } | undefined>;
  /** Notes what is known of a run. Ids that are left out stay; an error is forgotten by a note without one. Safe to repeat. */
  noteRun(run: ScheduledRun, known: RunNote): Promise<void>;
  /** How what a run began has ended, undefined while it goes on. */
  endOf(run: ScheduledRun): Promise<RunEnd | undefined>;
}
export type RunNote = {
  taskId?: string | undefined;
  conversationId?: string | undefined;
  messageId?: string | undefined;
  error?: { code: ErrorCode; message: string } | undefined;
};
export type RunEnd =
  { status: 'completed' | 'cancelled' } | { status: 'failed'; error: { code: ErrorCode; message: string } };

export interface SearchIndex {
  /** Best first. Sees every document that was stored before the call. */
  search(scope: Scope, query: string, limit: number): Promise<Passage[]>;
  close(): void;
}

export interface Workflows {
  describe(workflowId: string): Promise<WorkflowState>;
  /** Ids of tasks whose workflow is running now. */
  runningTasks(): AsyncIterable<string>;
  /** Makes sure that somebody lets parked tasks go when the model is back. */
  watchOutage(model: string): Promise<void>;
  /** Tells a parked task to go on. A task that has ended is left alone. */
  release(taskId: string): Promise<void>;
  /**
   * Makes sure that somebody delivers a callback.
   * @param options `anew`: at once, also while an earlier delivery waits for its next attempt
   */
  deliverCallback(callback: CallbackRef, options?: { anew?: boolean }): Promise<void>;
}
