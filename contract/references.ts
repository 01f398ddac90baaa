import type { Approvers } from './approval.ts';

// The types that workflow histories may hold: ids, hashes, counts and small decisions. Content stays in Postgres
// (docs/adr/0001-history-holds-references.md). Fields must not be renamed: recorded histories hold them.

/** SHA-256 of stored content in base64url, or in hex for content that was stored before 0.2. */
export type ContentHash = string;

/**
 * The hash of a conversation's last message. Each stored message names its parent, so the head identifies the whole
 * chain.
 */
export type MessageHead = ContentHash;

/** The owner of a row. Every query filters by it. */
export type Scope = { tenant: string; subject: string };

/** Identifies a task in workflows and activities. */
export type TaskRef = Scope & { taskId: string; agent: string };

/** Identifies a schedule in the workflows of its runs. */
export type ScheduleRef = Scope & { scheduleId: string };

/** One run of a schedule. `key` stays the same when the run is retried or reset, so that it takes effect once. */
export type ScheduledRun = ScheduleRef & { key: string };

/** Identifies a conversation in workflows and activities. */
export type ConversationRef = Scope & { conversationId: string; agent: string };

/** Identifies a task's callback. Its address and secret stay in Postgres. */
export type CallbackRef = Scope & { taskId: string };

/** Identifies a source of documents. Its address stays in Postgres. */
export type SourceRef = Scope & { sourceId: string };

/** A tool call that a model requested. The arguments stay in the stored message. */
export type ToolCallRef = {
  callId: string;
  tool: string;
  /** A hash of the arguments, by which the workflow recognises repeated calls. */
  args?: string;
  /** Present when the call changes something in the outside world. */
  effect?: 'write';
  /** Present when a person must approve the call first. */
  approval?: true;
};

/** What is wrong with a tool call: there is no such tool, or its arguments do not fit the tool's schema. */
export type ToolMisuse = 'unknown_tool' | 'invalid_arguments';

/** A stored tool result. `repeated`: an earlier call with the same arguments gave the same result. */
export type ToolResultRef = {
  callId: string;
  tool: string;
  result: ContentHash;
  /** Absent means false. A history holds many results, so `false` is left out to keep it small. */
  isError?: boolean;
  misuse?: ToolMisuse;
  repeated?: true;
};

/** Tokens by kind, and their cost in US dollars. `inputTokens` excludes tokens read from or written to the cache. */
export type Usage = {
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

export const totalTokens = (usage: Usage) =>
  usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens + usage.outputTokens;

/**
 * Why a model's answer could not be used: it wrote tool calls as text, its output does not fit the agent's schema, or
 * it cites a passage that does not exist. A correction message explains this to the model.
 */
export type CorrectionReason = 'tool_as_text' | 'output_invalid' | 'citation_unknown';

/**
 * The result of one step (one turn of the model loop) in the history: a few hundred bytes, however long the answer is.
 * `next`: the task is answered, tool calls must run, or the model must try again after a correction.
 */
export type StepResult = { head: MessageHead; usage: Usage } & (
  | { next: 'answer'; result: ContentHash }
  | { next: 'tools'; calls: ToolCallRef[] }
  | { next: 'again'; because: CorrectionReason }
);

/** The limits of a task. A missing limit means no limit. */
export type BudgetLimits = {
  maxCostUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxModelCalls?: number | undefined;
  maxDurationS?: number | undefined;
  /** Seconds that the task waits at a limit for a larger budget, before it ends with a partial result. */
  waitS?: number | undefined;
};

/**
 * The agent's settings for one task. They are read once and recorded in the history, so that a replay uses the same
 * ones. `model` and `fallbacks` are `provider:model`. Plans from before 0.2 have no fallbacks.
 */
export type TaskPlan = { model: string; fallbacks?: string[]; maxSteps: number; budget: BudgetLimits };

/**
 * The limit that leaves no room for another model call. Amounts are in the limit's unit: USD, tokens, calls or seconds.
 */
export type ReachedLimit = {
  limit: keyof Omit<BudgetLimits, 'waitS'>;
  /** Whose limit it is. A person can raise that of a task; those of agent and tenant start again each day (UTC). */
  scope: 'task' | 'agent' | 'tenant';
  max: number;
  /** Charged so far. Calls in progress count at their worst case. */
  charged: number;
  /** The worst case of the next call. */
  needed: number;
};

/**
 * Why a task is parked: it reached a limit, its model does not answer, or it waits for approvals (by id). A parked task
 * uses no worker.
 */
export type WaitReason =
  | ({ reason: 'budget' } & ReachedLimit)
  | { reason: 'outage'; model: string }
  | { reason: 'approval'; approvals: string[] };

/** A tool call that waits for approval, as its workflow holds it: who may decide, and how many seconds they have. */
export type PendingApproval = {
  id: string;
  callId: string;
  tool: string;
  argumentsHash: string;
  requester: string;
  approvers: Approvers;
  fourEyes: boolean;
  expiresS: number;
  escalateS?: number | undefined;
  escalateTo?: Approvers | undefined;
};
/**
 * The decision about a tool call. `by` is null when the time limit decided. `argumentsHash` is that of the arguments
 * that may run, null when the call does not run.
 */
export type Verdict = {
  id: string;
  callId: string;
  status: 'approved' | 'denied' | 'expired';
  runs: boolean;
  by: string | null;
  at: string;
  argumentsHash: string | null;
};
