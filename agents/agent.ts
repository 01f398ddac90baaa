import type { z } from 'zod';
import type { ApprovalRuleInput } from '../contract/approval.ts';
import type { BusyPolicy } from '../contract/conversation.ts';

/** An agent is data: its instructions, the tools it may call, the schemas of its input and output. */
export type Agent = {
  description: string;
  /** Requests that it is there for. An orchestrator reads them beside the description. */
  examples?: readonly string[];
  instructions: string;
  /** Names of the tools that it may call. */
  tools: readonly string[];
  /**
   * How often a task may call its model, the answer and corrections included: tools can run in `maxSteps - 1` steps.
   * The model does not know the number; say it in the instructions where it matters.
   */
  maxSteps: number;
  input: z.ZodType<AgentInput>;
  output: z.ZodType;
  /** With this schema, the model answers with one JSON value that fits it. The value becomes the result's `data`. */
  answer?: z.ZodType;
  /**
   * Which calls wait for a person's approval; the first matching rule counts. ALFRED_AGENTS can replace these rules.
   */
  approvals?: readonly ApprovalRuleInput[];
  /**
   * Tools that change something and that run without approval. Every other such tool needs an approval rule, else the
   * workers do not start. ALFRED_AGENTS can replace the list.
   */
  withoutApproval?: readonly string[];
  /** What happens to a message that arrives while a task of its conversation runs; default `enqueue`. */
  onBusy?: BusyPolicy;
};

/**
 * The input that every agent accepts: a text, and optionally a tool to call first. The offline provider calls that
 * tool; a model gets the call as a wish in its prompt.
 */
export type AgentInput = { text: string; tool?: { name: string; arguments: Record<string, unknown> } | undefined };
