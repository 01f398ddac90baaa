import type { z } from 'zod';
import type { ApprovalRuleInput } from '../contract/approval.ts';
import type { BusyPolicy } from '../contract/conversation.ts';
import type { JsonValue } from '../contract/json.ts';
import type { RemoteProtocol, Tool } from '../contract/ports/index.ts';
import type { Budget } from '../contract/task.ts';

/** An agent is data: its instructions, the tools it may call, the schemas of its input and output. */
export type Agent = {
  description: string;
  /** Requests that it is there for. An orchestrator reads them beside the description. */
  examples?: readonly string[];
  instructions: string;
  /** Names of the tools that it may call: its own, and those that agents share. */
  tools: readonly string[];
  /** The tools that it alone has, by name. Another agent may have another tool of the same name. */
  ownTools?: Readonly<Record<string, Tool>>;
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
  /** What counts where ALFRED_AGENTS says nothing else. */
  defaults?: AgentDefaults;
  /**
   * Reads a simple request in words as a call, for the offline provider alone, which understands no words. Pure.
   *
   * @returns undefined when unsure
   */
  offlineCall?(text: string): { name: string; arguments: Record<string, JsonValue> } | undefined;
  /** What a model puts between quotation marks is compared with what it was given: with tools, documents and words. */
  quotesExactly?: true;
  /** The pack that it comes from; absent for the agents of this repository. */
  pack?: AgentPack;
  /** Present when it works elsewhere: a task of it calls no model and no tool of ours. */
  remote?: RemoteAgent;
};

/** An agent that works elsewhere, as the operator has set it up. */
export type RemoteAgent = {
  protocol: RemoteProtocol;
  /** Its address. What was begun at another address is not continued here. */
  url: string;
  /** The most that one call costs, in US dollars. */
  costPerCallUsd: number;
  /** A call whose answer got lost may be made again. */
  repeatable: boolean;
  /** Variables of its secrets that are not set in this process. */
  missingVariables: readonly string[];
};

export type AgentDefaults = {
  /** `provider:model`, or several separated by commas: the others replace the first while it is down. */
  model?: string;
  /** Limits of each task. */
  budget?: Budget;
  /** Who may use it: those with one of these roles. */
  roles?: readonly string[];
};

/** `missingVariables`: those that its tools need and that are not set in this process. */
export type AgentPack = { name: string; version: string; missingVariables: readonly string[] };

/**
 * The input that every agent accepts: a text, and optionally a tool to call first. The offline provider calls that
 * tool; a model gets the call as a wish in its prompt.
 */
export type AgentInput = { text: string; tool?: { name: string; arguments: Record<string, unknown> } | undefined };
