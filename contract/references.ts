import type { Approvers } from './approval.ts';

// Most of what is recorded in Temporal workflow histories is made of these types: ids, hashes, counts and small
// decisions. Content stays in Postgres (docs/adr/0001-history-holds-references.md). Never rename a field: histories
// recorded earlier still have the old name.

/** SHA-256 of stored content in base64url, or in hex for content that was stored before 0.2. */
export type ContentHash = string;

/**
 * The hash of the last message of a conversation. Each stored message names its parent by hash, so the head identifies
 * the whole chain of messages.
 */
export type MessageHead = ContentHash;

/** The owner of a row. Every query made for a user filters by it. */
export type Scope = {
  tenant: string;
  /** The person or service that owns the row. */
  subject: string;
};

/**
 * Whose rows a query may touch: those of the subject, or with `of: 'tenant'` those of everybody in the tenant. The
 * policy computes it (`reachOf` in contract/rules/policy.ts); adapters do not ask for roles.
 */
export type Reach = Scope & { of?: 'tenant' };

/** Which documents a query may touch: the subject's own, also those that it may read, or all of the tenant. */
export type DocumentReach = Scope & { of?: 'readable' | 'tenant' };

/** Identifies a task in workflows and activities. */
export type TaskRef = Scope & { taskId: string; agent: string };

/** Identifies a schedule in the workflows of its runs. */
export type ScheduleRef = Scope & { scheduleId: string };

/** One run of a schedule. `key` stays the same when the run is retried or reset, so that it takes effect once. */
export type ScheduledRun = ScheduleRef & { key: string };

/** Identifies a conversation in workflows and activities. */
export type ConversationRef = Scope & { conversationId: string; agent: string };

/** Identifies the callback of a task or of an upload. Its address and secret stay in Postgres. */
export type CallbackRef = Scope & ({ taskId: string } | { ingestionId: string });

/** Identifies a source of documents. Its address stays in Postgres. */
export type SourceRef = Scope & { sourceId: string };

/** Identifies an upload of contacts. Its lines stay in Postgres. */
export type ContactIngestRef = Scope & { ingestId: string };

/** A tool call that a model requested. The arguments stay in the stored message. */
export type ToolCallRef = {
  /** The id that the model's provider gave the call. */
  callId: string;
  tool: string;
  /**
   * A short hash of the arguments, despite the name. The workflow recognises repeated calls by it. Absent in old
   * histories.
   */
  args?: string;
  /** Present when the call changes something in the outside world. */
  effect?: 'write';
  /** Present when a person must approve the call first. */
  approval?: true;
  /** Present when the call runs another agent, as a task of its own. */
  delegate?: true;
};

/** What is wrong with a tool call: there is no such tool, or its arguments do not fit the tool's schema. */
export type ToolMisuse = 'unknown_tool' | 'invalid_arguments';

/** A stored tool result. */
export type ToolResultRef = {
  callId: string;
  tool: string;
  result: ContentHash;
  /** Absent means false. A history holds many results, so `false` is left out to keep it small. */
  isError?: boolean;
  /** Present when the model used the tool wrongly. The result then explains the mistake to the model. */
  misuse?: ToolMisuse;
  /** Present when an earlier call with the same arguments gave the same result. */
  repeated?: true;
};

/** Tokens by kind, and their cost in US dollars. */
export type Usage = {
  /** Without the tokens that were read from or written to the cache. */
  inputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  outputTokens: number;
  costUsd: number;
};

export const noUsage: Usage = { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, costUsd: 0 };

export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  costUsd: a.costUsd + b.costUsd,
});

/** All tokens of all kinds. */
export const totalTokens = (usage: Usage) =>
  usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens + usage.outputTokens;

/**
 * Why a model's answer could not be used. A correction message then explains the mistake to the model.
 *
 * - `tool_as_text`: the model wrote tool calls as text.
 * - `output_invalid`: the answer does not fit the agent's output schema.
 * - `citation_unknown`: the answer cites a passage that does not exist, or quotes words that no source has.
 */
export type CorrectionReason = 'tool_as_text' | 'output_invalid' | 'citation_unknown';

/**
 * The result of one step (one turn of the model loop) in the history: a few hundred bytes, however long the answer is.
 *
 * - `head`: the last message of the chain, which is the model's response, or the correction after an unusable one.
 * - `answer`: the task is answered. `result` is the hash of its stored result.
 * - `tools`: these calls must run before the next step.
 * - `again`: the answer could not be used, so the model must answer again.
 */
export type StepResult = { head: MessageHead; usage: Usage } & (
  | { next: 'answer'; result: ContentHash }
  | { next: 'tools'; calls: ToolCallRef[] }
  | { next: 'again'; because: CorrectionReason }
);

/** The limits of a task. A missing limit means no limit. */
export type BudgetLimits = {
  maxCostUsd?: number | undefined;
  /** All kinds of tokens together. */
  maxTokens?: number | undefined;
  maxModelCalls?: number | undefined;
  /** Seconds of work. Time spent waiting does not count. */
  maxDurationS?: number | undefined;
  /** Seconds that the task waits at a limit for a larger budget, before it ends with a partial result. */
  waitS?: number | undefined;
};

/** The agent's settings for one task. They are read once and recorded, so that a replay uses the same settings. */
export type TaskPlan = {
  /** `provider:model` */
  model: string;
  /** The models to use when `model` does not answer, in order. Absent in plans from before 0.2. */
  fallbacks?: string[];
  maxSteps: number;
  budget: BudgetLimits;
  /** The longest duration of one attempt at a model call. Absent in plans from before 0.3. */
  callTimeoutMs?: number;
  /** An earlier run of the task had messages that came while it ran: this run finds them step by step. */
  isSteered?: boolean;
  /** The agent works elsewhere: its answer is fetched, and no model is called. */
  remote?: true;
};

/**
 * A limit that the next model call could exceed, so the call is not made; or `maxDurationS`, when that time is over.
 * Amounts are in the limit's unit: USD, tokens, calls or seconds.
 */
export type ReachedLimit = {
  limit: keyof Omit<BudgetLimits, 'waitS'>;
  /**
   * Who has the limit. (This is not a `Scope`.) A person can raise the limit of a task. The limits of an agent and of a
   * tenant are per day (UTC).
   */
  scope: 'task' | 'agent' | 'tenant';
  max: number;
  /** Charged so far. Calls in progress count at their worst case. */
  charged: number;
  /** The worst case of the next call. */
  needed: number;
};

/**
 * Why a task waits. A waiting task occupies no worker.
 *
 * - `budget`: it reached a limit.
 * - `outage`: its model does not answer. `model` is `provider:model`.
 * - `approval`: a person must decide about tool calls. `approvals` are the ids of the pending approvals.
 * - `tenant`: an operator has suspended its tenant. `because` is a sentence for people.
 */
export type WaitReason =
  | ({ reason: 'budget' } & ReachedLimit)
  | { reason: 'outage'; model: string; because?: 'auth' }
  /** Our own database or search index. `because` is a sentence for people. */
  | { reason: 'service'; service: 'database' | 'index'; because: string }
  | { reason: 'tenant'; because: string }
  | { reason: 'approval'; approvals: string[] };

/** A tool call that waits for approval, as the task's workflow remembers it. */
export type PendingApproval = {
  /** The approval's id. */
  id: string;
  callId: string;
  tool: string;
  /** Hash of the arguments that the person is asked to approve. */
  argumentsHash: string;
  /** The subject who requested the task. */
  requester: string;
  /** Who made the API key that is the requester. Absent: it is no key. */
  keyCreator?: string | undefined;
  /** Who may decide from the start. */
  approvers: Approvers;
  /** True: neither the requester nor an API key may decide. */
  fourEyes: boolean;
  /** Seconds until the approval expires and its rule decides. */
  expiresS: number;
  /** Seconds until `escalateTo` may decide too. Absent: never. */
  escalateS?: number | undefined;
  escalateTo?: Approvers | undefined;
};

/** The decision about a tool call. */
export type Verdict = {
  /** The approval's id. */
  id: string;
  callId: string;
  /** `expired`: no person decided in time, so the rule decided. */
  status: 'approved' | 'denied' | 'expired';
  /** Whether the call runs. An expired approval can allow that too, if its rule says so. */
  runs: boolean;
  /** The subject of the person who decided, or null when the approval expired. */
  by: string | null;
  /** When the decision was made, as an ISO 8601 timestamp. */
  at: string;
  /** Hash of the arguments that the call runs with, which the person may have edited. Null when it does not run. */
  argumentsHash: string | null;
};
