import type { z } from 'zod';
import type { ApprovalRuleInput } from '../contract/approval.ts';
import type { BusyPolicy } from '../contract/conversation.ts';

/** An agent is data: what it is told, what it may do, what goes in and what comes out. */
export type Agent = {
  description: string;
  instructions: string;
  /** Names of the tools it may call. */
  tools: readonly string[];
  /** Turns of the model loop before it gives up. */
  maxSteps: number;
  input: z.ZodType<AgentInput>;
  output: z.ZodType;
  /** When given, the model answers with one JSON value that fits it, which becomes the result's `data`. */
  answer?: z.ZodType;
  /** Calls that wait for a person; the first rule that fits counts. ALFRED_AGENTS may have others in their place. */
  approvals?: readonly ApprovalRuleInput[];
  /** What becomes of a message that comes while a task of its conversation runs; default `enqueue`. */
  onBusy?: BusyPolicy;
};

/** What every agent's input comes down to: words, and perhaps a tool to begin with. */
export type AgentInput = { text: string; tool?: { name: string; arguments: Record<string, unknown> } | undefined };
