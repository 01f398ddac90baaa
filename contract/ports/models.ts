import type { JsonValue } from '../json.ts';
import type { AssistantPart } from '../messages.ts';
import type { Price } from '../rules/price.ts';
import type { TaskRef, Usage } from '../references.ts';
import type { Message } from './message-store.ts';
import type { ToolDescription } from './tools.ts';

/** One model call, as every provider gets it. */
export type ModelRequest = {
  /** The model's name without its provider. */
  model: string;
  instructions: string;
  messages: Message[];
  tools: ToolDescription[];
  maxOutputTokens: number;
  /**
   * JSON Schema of the answer: the model must answer with one JSON value that fits it. Providers that can enforce a
   * schema do; the others get it as part of the instructions.
   */
  outputSchema?: Record<string, JsonValue> | undefined;
  /** Use the provider's own citation feature for passages, if it has one. */
  citations?: boolean | undefined;
  /** `<task id>/<step>`, or `<task id>/<step>/<purpose>`. The same in every attempt at this call. */
  idempotencyKey: string;
};

export type StopReason = 'end' | 'tools' | 'max_tokens' | 'refusal';

/** Rate limits that a provider reports in response headers: the limits per minute, and how much of them remains. */
export type ProviderLimits = {
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
  requestsLeft?: number | undefined;
  tokensLeft?: number | undefined;
};

/** Token counts of one model call. `inputTokens` excludes cached tokens. */
export type TokenCounts = Omit<Usage, 'costUsd'>;

/**
 * A piece of a streamed response.
 *
 * - `text`: text to append to the answer.
 * - `usage`: token counts of the call so far. May come several times; each replaces the one before.
 * - `limits`: rate limits that the provider reported.
 * - `end`: the complete response. Comes once, as the last event.
 */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'usage'; usage: TokenCounts }
  | { type: 'limits'; limits: ProviderLimits }
  | { type: 'end'; parts: AssistantPart[]; stopReason: StopReason };

/** One model provider. It never retries, because Temporal does. It throws AlfredErrors only. */
export interface ModelProvider {
  readonly name: string;
  /** Streams one response. An abort ends the stream with the signal's reason or the client's abort error. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Input tokens of a request as the provider counts them. Absent if the provider cannot count, or charges for it. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<number>;
}

/** Price and limits of a model. */
export type ModelFacts = {
  /** `provider:model` */
  name: string;
  price: Price;
  /** Input and output together. */
  contextTokens: number;
  maxOutputTokens: number;
  /** The model can use its provider's own citation feature. */
  citations?: boolean | undefined;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
};

export interface ModelCatalog {
  /**
   * @param model `provider:model`
   * @throws AlfredError `model_unconfigured` when the model's price is unknown, so that no call is free by mistake
   */
  factsOf(model: string): ModelFacts;
}

/**
 * Decides whether a model may be called now. All workers share its state: a circuit breaker for the provider's health,
 * and a token bucket for its rate limits.
 */
export interface ModelGate {
  /**
   * Asks for permission to call a model.
   *
   * @param tokens estimated tokens of the call; they are taken from the rate limit
   * @returns `outage`: the provider is down and no probe is due. `rate`: ask again after `retryAfterMs`, at most a
   *   minute
   */
  enter(
    facts: ModelFacts,
    tokens: number,
  ): Promise<
    { open: true } | { open: false; reason: 'outage' } | { open: false; reason: 'rate'; retryAfterMs: number }
  >;
  /**
   * Records a response: closes the circuit, corrects the estimate and stores the limits that the provider reported.
   *
   * @param outcome `tokens` used, and as `estimated` when the call entered
   */
  recordSuccess(
    model: string,
    outcome: { tokens: number; estimated: number; limits?: ProviderLimits | undefined },
  ): Promise<void>;
  /** Records a failure caused by the provider's health. @returns whether the circuit is open now */
  recordFailure(model: string): Promise<boolean>;
  /** Records a 429: `enter` refuses every call of this model until the time is over. */
  recordRateLimit(model: string, retryAfterMs: number): Promise<void>;
}

/** Tasks that wait until a model is available again. */
export interface ParkedTasks {
  /** Adds a task to the queue. A task that returns within the same outage keeps its place. Idempotent. */
  park(task: TaskRef, model: string): Promise<void>;
  /** Removes a task from the queue. Idempotent. */
  unpark(taskId: string): Promise<void>;
  /**
   * Selects the next tasks and marks them released: round-robin over tenants, the oldest first within a tenant. While
   * the circuit is open, tasks with the fewest probes come first. A task that is still parked half a minute after its
   * release may be selected again.
   *
   * @returns task ids
   */
  release(model: string, limit: number): Promise<string[]>;
  count(model: string): Promise<number>;
  /**
   * The state of a model's circuit.
   *
   * @returns `probeInMs`: time until the next probe is allowed, negative if one has been allowed for that long;
   *   `releasedMsAgo`: time since a task was last released; `parked`: number of waiting tasks
   */
  circuit(model: string): Promise<{ open: boolean; probeInMs: number; releasedMsAgo: number; parked: number }>;
}
