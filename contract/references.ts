/** What a history may carry: ids, hashes, counts and small decisions, never content. */

/** SHA-256 (hex) of stored content. */
export type ContentHash = string;

/** A conversation is a chain of stored messages; the hash of the last one names all of it. */
export type Head = ContentHash;

/** Who a row belongs to. Every query filters by it. */
export type Scope = { tenant: string; subject: string };

/** A task as workflows and activities name it. */
export type TaskRef = Scope & { taskId: string; agent: string };

/** One tool call a model asked for; its arguments stay in the stored message. */
export type ToolCallRef = { callId: string; tool: string };

/** A tool's stored result. */
export type ToolResultRef = ToolCallRef & { result: ContentHash; isError: boolean };

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

/** What one model call leaves in the history: a few hundred bytes, whatever was said. */
export type Turn = { head: Head; usage: Usage } & (
  { next: 'answer'; result: ContentHash } | { next: 'tools'; calls: ToolCallRef[] }
);

/** Limits a task runs under; an absent one does not bind. */
export type BudgetLimits = {
  maxCostUsd?: number | undefined;
  maxTokens?: number | undefined;
  maxModelCalls?: number | undefined;
  maxDurationS?: number | undefined;
};

/** The agent's definition as a task needs it, read once and recorded, so that replay never sees a newer one. */
export type TaskPlan = { model: string; maxSteps: number; budget: BudgetLimits };
