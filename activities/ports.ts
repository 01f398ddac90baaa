import type { Ingestion, Document, DocumentList, DocumentListQuery, Passage } from '../contract/documents.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { TaskEvent } from '../contract/events.ts';
import type { JsonValue } from '../contract/json.ts';
import type { AssistantPart, StoredMessage } from '../contract/messages.ts';
import type {
  BudgetLimits,
  ContentHash,
  Head,
  Scope,
  TaskRef,
  ToolCallRef,
  ToolResultRef,
  Turn,
  Usage,
} from '../contract/references.ts';
import type { Closure, WorkflowState } from '../contract/task-truth.ts';
import type { Task, TaskListQuery, TaskRequest, TaskResult } from '../contract/task.ts';

export type { Closure, WorkflowState };

/** The Temporal run that writes; another run than the row's means that the workflow was reset. */
export type Run = { runId: string };

/** A task's row without what only a door can add (links). */
export type TaskRow = Omit<Task, 'links'>;

/** What decides whether a row agrees with its workflow. */
export type TaskState = TaskRef & { status: Task['status']; runId: string | null; updatedAt: Date; lastSeq: number };

/** Task rows and their events. All writes are idempotent and keep row and events in one transaction. */
export interface Tasks {
  /**
   * Stores the request before its workflow starts.
   * @returns the task, or the one that the same idempotency key made before
   * @throws AlfredError `idempotency_key_reused` when that one had another body
   */
  create(
    scope: Scope,
    request: TaskRequest,
    options: { idempotencyKey?: string | undefined },
  ): Promise<TaskRow & { head: Head; isNew: boolean }>;
  get(scope: Scope, taskId: string): Promise<TaskRow | undefined>;
  list(scope: Scope, query: TaskListQuery): Promise<{ tasks: TaskRow[]; nextCursor: string | null }>;
  /** queued → running. Safe to repeat. */
  start(task: TaskRef, run: Run, model: string): Promise<{ budget: BudgetLimits }>;
  /** @returns the ended row, or undefined when this run had ended it before */
  complete(task: TaskRef, run: Run, result: ContentHash): Promise<TaskRow | undefined>;
  /** As `complete`; without a run (the workflow is gone) only a row that has not ended is closed. */
  close(task: TaskRef, run: Run | undefined, closure: Closure): Promise<TaskRow | undefined>;
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
  /** Appends text of the attempt that may stream. @returns false when a newer attempt took over or the task has ended */
  appendText(task: TaskRef, at: Run & { step: number; attempt: number }, text: string): Promise<boolean>;
}

/** A stored message with its tool results filled in. */
export type Message =
  | Exclude<StoredMessage, { role: 'tool' }>
  | { role: 'tool'; results: { callId: string; tool: string; output: JsonValue; isError: boolean }[] };

export interface Conversations {
  append(scope: Scope, parent: Head | null, message: StoredMessage): Promise<Head>;
  /** The whole chain, oldest first, tool results resolved. */
  load(scope: Scope, head: Head): Promise<Message[]>;
  /** What the message at `head` asks a tool with, by the call's id. */
  toolArguments(scope: Scope, head: Head, callId: string): Promise<JsonValue>;
}

/** The ledger of model calls and the receipts of tool calls. */
export interface Ledger {
  /**
   * Marks this attempt as the one that may stream and tells followers, unless the step is paid.
   * @returns what an earlier attempt at this step stored, if one did
   * @throws AlfredError `superseded` when this run has ended the task
   */
  beginModelCall(
    task: TaskRef,
    call: Run & { step: number; attempt: number; model: string },
  ): Promise<Turn | undefined>;
  /**
   * Stores the response, the ledger row and the events in one transaction, unless another attempt was first.
   * @returns the turn that counts: this one, or the first
   */
  settleModelCall(task: TaskRef, call: CompletedModelCall): Promise<Turn>;
  /** @returns how many attempts at this step have failed this way, this one included */
  failModelCall(task: TaskRef, call: FailedModelCall): Promise<number>;
  /** @returns the stored result of an earlier attempt, or undefined after storing the intent */
  beginToolCall(
    task: TaskRef,
    call: Run & ToolCallRef & { step: number; arguments: JsonValue },
  ): Promise<ToolResultRef | undefined>;
  settleToolCall(
    task: TaskRef,
    call: ToolCallRef & { step: number; output: JsonValue; isError: boolean; summary: string; durationMs: number },
  ): Promise<ToolResultRef>;
}

type ModelCallRecord = {
  step: number;
  attempt: number;
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
  /** Deterministic, independent of the attempt. */
  idempotencyKey: string;
};
export type StopReason = 'end' | 'tools' | 'max_tokens' | 'refusal';
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'usage'; usage: Omit<Usage, 'costUsd'> }
  | { type: 'end'; parts: AssistantPart[]; stopReason: StopReason };

/** One model provider. Its client never retries; Temporal does. Errors are AlfredErrors. */
export interface ModelProvider {
  readonly name: string;
  /** @returns US dollars for that usage; throws AlfredError `model_unconfigured` when the model has no known price */
  price(model: string, usage: Omit<Usage, 'costUsd'>): number;
  /** Streams one response; `usage` may come several times, the last one counts; `end` comes once, last. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

export type ToolContext = { scope: Scope; taskId: string; receiptKey: string; signal: AbortSignal };

/** Something an agent may do. Errors with a code that is not retryable go back to the model. */
export interface Tool extends ToolDescription {
  /** @returns what the model reads, and one line for people */
  run(input: JsonValue, context: ToolContext): Promise<{ output: JsonValue; summary: string }>;
}

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

export interface SearchIndex {
  /** Best first. Sees every document that was stored before the call. */
  search(scope: Scope, query: string, limit: number): Promise<Passage[]>;
  close(): void;
}

export interface Workflows {
  describe(workflowId: string): Promise<WorkflowState>;
  /** Ids of tasks whose workflow is running now. */
  runningTasks(): AsyncIterable<string>;
}
