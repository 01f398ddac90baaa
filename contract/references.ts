import type { Approvers } from './approval.ts';

/** What a history may carry: ids, hashes, counts and small decisions, never content. */

/** SHA-256 of stored content, base64url; hex where it was stored before 0.2. */
export type ContentHash = string;

/** A conversation is a chain of stored messages; the hash of the last one names all of it. */
export type MessageHead = ContentHash;

/** Who a row belongs to. Every query filters by it. */
export type Scope = { tenant: string; subject: string };

/** A task as workflows and activities name it. */
export type TaskRef = Scope & { taskId: string; agent: string };

/** A schedule as its runs name it. */
export type ScheduleRef = Scope & { scheduleId: string };

/** One run of a schedule; `key` is the same however often the run is repeated or reset. */
export type ScheduledRun = ScheduleRef & { key: string };
/** A conversation as workflows and activities name it. */
export type ConversationRef = Scope & { conversationId: string; agent: string };
/** A task's callback as workflows and activities name it: never with its address or secret. */
export type CallbackRef = Scope & { taskId: string };

/** A source of documents as workflows and activities name it: never with its address. */
export type SourceRef = Scope & { sourceId: string };

/** One tool call a model asked for; its arguments stay in the stored message, `args` tells them apart from others. */
export type ToolCallRef = {
  callId: string;
  tool: string;
  args?: string;
  /** Present when it changes something in the world. */
  effect?: 'write';
  /** Present when a person must approve it first. */
  approval?: true;
};

/** What a model got wrong about a tool. */
export type ToolMisuse = 'unknown_tool' | 'invalid_arguments';

/** A tool's stored result. `repeated`: the model made this call before and got the same. */
export type ToolResultRef = {
  callId: string;
  tool: string;
  result: ContentHash;
  /** Absent: false. Histories are full of these. */
  isError?: boolean;
  misuse?: ToolMisuse;
  repeated?: true;
};

/** Tokens by kind and what they cost, in US dollars. Input tokens exclude cached ones. */
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

/** Why an answer could not be used as it came; the model is told so in a message of its own. */
export type CorrectionReason = 'tool_as_text' | 'output_invalid' | 'citation_unknown';

/** What one model call leaves in the history: a few hundred bytes, whatever was said. */
export type StepResult = { head: MessageHead; usage: Usage } & (
  | { next: 'answer'; result: ContentHash }
  | { next: 'tools'; calls: ToolCallRef[] }
  | { next: 'again'; because: CorrectionReason }
);

/** Limits a task runs under; an absent one does not bind. */
export type BudgetLimits = {
  maxCostUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxModelCalls?: number | undefined;
  maxDurationS?: number | undefined;
  /** Seconds a task waits at a limit for somebody to grant more, before it ends with what it has. */
  waitS?: number | undefined;
};

/**
 * The agent's definition as a task needs it, read once and recorded, so that replay never sees a newer one. Plans of
 * before 0.2 have no fallbacks.
 */
export type TaskPlan = { model: string; fallbacks?: string[]; maxSteps: number; budget: BudgetLimits };

/** Which limit leaves no room for another model call, and whose it is. */
export type ReachedLimit = {
  limit: keyof Omit<BudgetLimits, 'waitS'>;
  /** `task`: somebody may grant more; the others end with the day (UTC). */
  scope: 'task' | 'agent' | 'tenant';
  max: number;
  /** Charged so far, calls that are under way at their worst case. */
  charged: number;
  /** What the next call may cost at the most. */
  needed: number;
};

/** Why a task waits at no compute. */
export type WaitReason =
  | ({ reason: 'budget' } & ReachedLimit)
  | { reason: 'outage'; model: string }
  | { reason: 'approval'; approvals: string[] };

/** A call that waits for a person, as a workflow keeps it: who may decide, and until when. */
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
/** What was decided. `argumentsHash` names the arguments that may run. */
export type Verdict = {
  id: string;
  callId: string;
  status: 'approved' | 'denied' | 'expired';
  runs: boolean;
  by: string | null;
  at: string;
  argumentsHash: string | null;
};
