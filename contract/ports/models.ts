import type { JsonValue } from '../json.ts';
import type { AssistantPart } from '../messages.ts';
import type { Price } from '../rules/price.ts';
import type { TaskRef, Usage } from '../references.ts';
import type { Message } from './message-store.ts';
import type { ToolDescription } from './tools.ts';

export type ModelRequest = {
  /** The model's name without its provider. */
  model: string;
  instructions: string;
  messages: Message[];
  tools: ToolDescription[];
  maxOutputTokens: number;
  /** When given, the answer is one JSON value that fits it. Providers that can enforce it do. */
  outputSchema?: Record<string, JsonValue> | undefined;
  /** The model may mark by itself what it cites from passages, where its provider has a way to. */
  citations?: boolean | undefined;
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
  /** It cites passages by itself, by its provider's own feature. */
  citations?: boolean | undefined;
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
