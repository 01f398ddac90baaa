import type { z } from 'zod';

// The types behind `alfred/agent`. This file imports nothing but zod: `alfred agents types` copies it next to a pack.

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** An environment variable that a tool needs. Its name must not begin with `ALFRED_`, nor be one that Alfred reads. */
export type Setting = {
  /** What it is for, in a few words. */
  description: string;
  /** `false`: the tool runs without it. Otherwise, without a value or a default, workers do not serve the agent. */
  required?: boolean;
  default?: string;
};
export type Settings = Readonly<Record<string, Setting>>;

/** The values of a tool's settings: texts, as the environment has them. */
export type SettingValues<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends { default: string }
    ? string
    : S[Name] extends { required: false }
      ? string | undefined
      : string;
};

/** What a tool gets beside its input. */
export type ToolContext<S extends Settings = Settings> = {
  /** For whom the task runs. */
  tenant: string;
  subject: string;
  taskId: string;
  /** Identifies this call, and is the same in every attempt: send it along, so that the receiver knows a repeat. */
  idempotencyKey: string;
  settings: SettingValues<S>;
  /** Aborted when the call is not wanted any more. Give it to `fetch`. */
  signal: AbortSignal;
  /**
   * A tool with `effect: 'write'` calls this right before the request that cannot be taken back. An attempt that dies
   * before it is repeated. What became of an attempt that dies after it is not known.
   */
  beforeSend(): Promise<void>;
};

/** A file for people. Which media types there are stands in the reference; with any other it is kept as bytes. */
export type Artifact = { name: string; mediaType: string; bytes: Uint8Array };

/**
 * `output`: what the model reads. `summary`: one line for people. `artifacts`: files that the task keeps, 20 MB each at
 * most; name them in `output`, because the model sees nothing else of them.
 */
export type ToolOutcome = { output: JsonValue; summary: string; artifacts?: readonly Artifact[] };

export type ReconcileOutcome = ({ state: 'done' } & ToolOutcome) | { state: 'not_done' } | { state: 'unknown' };

export type Approvers = { subjects?: string[]; roles?: string[] };

/** A condition on one argument of a call. A value that cannot be compared meets it. */
export type ArgumentCondition = {
  /** Its name; dots lead into objects. */
  argument: string;
  over?: number;
  equals?: JsonValue;
  notIn?: JsonValue[];
  notEndingWith?: string[];
};

/** Which calls wait for a person. */
export type ToolApproval = {
  /** Only when one of these holds; absent: always. */
  when?: ArgumentCondition[];
  unlessRoles?: string[];
  approvers?: Approvers;
  fourEyes?: boolean;
  /** Seconds until `onExpiry` decides; default seven days. */
  expiresS?: number;
  escalateS?: number;
  escalateTo?: Approvers;
  onExpiry?: 'approve' | 'deny';
};

/** `tool`: its name, or `*` for every tool of the agent that changes something. */
export type ApprovalRule = ToolApproval & { tool: string };

export type ToolDefinition<I extends z.ZodType, S extends Settings> = {
  /** Lower-case words joined by `_`, like `read_order`. Only its agent has it under this name. */
  name: string;
  /** What it does and returns, for the model. */
  description: string;
  /** The arguments, as an object schema. The model gets it as JSON Schema, and each call is parsed with it. */
  input: I;
  /** Present when it changes something outside of Alfred. Its agent needs an approval rule or an exemption for it. */
  effect?: 'write';
  approvals?: readonly ToolApproval[];
  /** Present when the receiver knows a repeat by `idempotencyKey`: a call whose answer got lost is made again. */
  repeatable?: true;
  /** How long a call that changes nothing may take; default two minutes, at most four. */
  timeoutMs?: number;
  settings?: S;
  /**
   * Checks what the schema cannot, at once (no promise). Throw `toolError('invalid_request', …)` with what the model
   * should do.
   */
  check?(input: z.output<I>): void;
  run(input: z.output<I>, context: ToolContext<S>): Promise<ToolOutcome>;
  /** Asks the receiver what became of a call whose answer got lost. */
  reconcile?(input: z.output<I>, context: ToolContext<S>): Promise<ReconcileOutcome>;
  /** Takes back what a call did. @returns one line for people */
  undo?(input: z.output<I>, output: JsonValue, context: ToolContext<S>): Promise<{ summary: string }>;
};

/** A tool for the `tools` of an agent, made with `defineTool`. */
export type Tool = { readonly alfred: 'tool'; readonly name: string };

/** What is asked of the model. `tool`: a call that is made first, without the model. */
export type Question = { text: string; tool?: { name: string; arguments: { [name: string]: JsonValue | undefined } } };

export type Budget = {
  maxCostUsd?: number;
  maxTokens?: number;
  maxModelCalls?: number;
  maxDurationS?: number;
  waitS?: number;
};

export type AgentDefinition<I extends z.ZodType> = {
  /** One line for people who choose an agent. */
  description: string;
  instructions: string;
  /** Tools of its own, and names of those that agents share, like `search_documents`. */
  tools: readonly (string | Tool)[];
  /** How often a task may call its model; default 50. */
  maxSteps?: number;
  /** What it is asked, as an object schema; default a text. */
  input?: I;
  /** Makes the question for the model of an input, at once; default: the input as JSON. Goes with `input`. */
  ask?(input: z.output<I>): string | Question;
  /** With it the answer is one JSON value that fits this schema, and stands in `data` of the result. */
  answer?: z.ZodType;
  approvals?: readonly ApprovalRule[];
  /** Tools that change something and run without approval. */
  withoutApproval?: readonly string[];
  /** What happens to a message while a task of its conversation runs; default `enqueue`. */
  onBusy?: 'enqueue' | 'interrupt' | 'rollback' | 'reject' | 'steer';
  /** `provider:model`, or several separated by commas. ALFRED_AGENTS replaces it, as it does `budget` and `roles`. */
  model?: string;
  /** Limits of each task. */
  budget?: Budget;
  /** Who may use it: those with one of these roles; default all. */
  roles?: readonly string[];
};

/** An agent, made with `defineAgent`. */
export type Agent = { readonly alfred: 'agent' };

/**
 * - `invalid_request`: the call does not make sense as it is. The model reads the message and may call again.
 * - `tool_failed`: nothing happened, and another attempt may succeed.
 * - `destination_refused`: the other side refused it for good, and nothing happened. The model reads the message.
 * - `effect_unknown`: the request was sent, and no answer came.
 */
export type ToolErrorCode = 'invalid_request' | 'tool_failed' | 'destination_refused' | 'effect_unknown';

export type DefineTool = <I extends z.ZodType, const S extends Settings = Record<never, never>>(
  definition: ToolDefinition<I, S>,
) => Tool;
export type DefineAgent = <I extends z.ZodType = z.ZodObject<{ text: z.ZodString }>>(
  definition: AgentDefinition<I>,
) => Agent;
export type MakeToolError = (code: ToolErrorCode, message: string) => Error;
