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
  /** True: use the provider's own citation feature for passages, if the provider has one. */
  citations?: boolean | undefined;
  /** `<task id>/<step>`, or `<task id>/<step>/<purpose>`. The same in every attempt at this call. */
  idempotencyKey: string;
};

export type StopReason = 'end' | 'tools' | 'max_tokens' | 'refusal';

/** Rate limits that a provider reports in response headers: the limits per minute, and how much of each is left. */
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
 * - `usage`: token counts of the call so far. The event may come several times, and each replaces the event before.
 * - `limits`: rate limits that the provider reported.
 * - `uncounted`: the call broke off after the request was sent, so the provider may charge more than it has counted.
 * - `end`: the complete response. The event comes once, as the last one.
 */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'usage'; usage: TokenCounts }
  | { type: 'limits'; limits: ProviderLimits }
  | { type: 'uncounted' }
  | { type: 'end'; parts: AssistantPart[]; stopReason: StopReason };

/** One model provider. It never retries, because Temporal does. It throws AlfredErrors only. */
export interface ModelProvider {
  readonly name: string;

  /** Present when it understands no words: what a request asks for is then read by its agent's `offlineCall`. */
  readonly isOffline?: true;

  /** Streams one response. An abort ends the stream with an error: the signal's reason or the client's abort error. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;

  /** Counts the input tokens of a request. Absent if the provider cannot count them, or charges for the count. */
  countTokens?(request: ModelRequest, signal: AbortSignal): Promise<number>;
}

/** Price and limits of a model. */
export type ModelFacts = {
  /** `provider:model` */
  name: string;
  price: Price;
  /** The most tokens of a call, input and output together. */
  contextTokens: number;
  maxOutputTokens: number;
  /** True: the model can use its provider's own citation feature. */
  citations?: boolean | undefined;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
};

export interface ModelCatalog {
  /**
   * Reads the price and limits of a model.
   *
   * @param model `provider:model`
   * @throws AlfredError `model_unconfigured` when the model's price is unknown, so that no call is free by mistake
   */
  factsOf(model: string): ModelFacts;
}

/** What a call has taken from the limits of its model. */
export type TakenCall = {
  /** Estimated tokens. */
  tokens: number;
  /** The time of the next probe, when the call is the probe of an open circuit. */
  nextProbe: string | null;
};

/**
 * Decides whether a model may be called now. All workers share the state of the gate: for each model a circuit breaker
 * for the provider's health, and a token bucket for the rate limits.
 */
export interface ModelGate {
  /**
   * Asks for permission to call a model.
   *
   * @param tokens estimated tokens of the call, which are taken from the rate limit
   * @returns `taken`: to be given back with `leave` if the call is not made. `outage`: the provider is down, and no
   *   trial call (probe) is due. `rate`: ask again after `retryAfterMs`, which is at most a minute
   */
  enter(
    facts: ModelFacts,
    tokens: number,
  ): Promise<
    | { open: true; taken?: TakenCall }
    | { open: false; reason: 'outage' }
    | { open: false; reason: 'rate'; retryAfterMs: number }
  >;

  /** Gives back what a call has taken that is not made: another call is the probe then. */
  leave(model: string, taken: TakenCall): Promise<void>;

  /**
   * Records a response: closes the circuit, corrects the estimate and stores the limits that the provider reported.
   *
   * @param outcome `tokens`: the tokens that the call used; `estimated`: the tokens that `enter` got
   */
  recordSuccess(
    model: string,
    outcome: { tokens: number; estimated: number; limits?: ProviderLimits | undefined },
  ): Promise<void>;

  /**
   * Records a failure that is not the request's.
   *
   * @param reason `auth`: the provider refuses every request for this model, so the circuit opens at once. Default: its
   *   health
   * @returns whether the circuit is open now
   */
  recordFailure(model: string, reason?: 'auth'): Promise<boolean>;

  /**
   * Records that the provider denied a request without saying whether for its content or for our account. The first
   * denial of a step counts as a failure. When its attempts are used up and no other call has succeeded since, the
   * circuit opens: one request alone closes no model for others that use it.
   *
   * @param denials how often the step was denied, this time included
   * @returns whether the circuit is open now
   */
  recordDenial(model: string, denials: number): Promise<boolean>;

  /** Records a 429 response: `enter` refuses every call of this model until `retryAfterMs` is over. */
  recordRateLimit(model: string, retryAfterMs: number): Promise<void>;
}

/** The queue of parked tasks: those that wait until a model answers again. */
export interface ParkedTasks {
  /** Adds a task to the queue. A task that comes back within the same outage keeps its place. Idempotent. */
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

  /** Counts the tasks that wait for a model. */
  count(model: string): Promise<number>;

  /**
   * Reads the state of a model's circuit.
   *
   * @returns `probeInMs`: milliseconds until the next probe is allowed, negative when a probe has been allowed for that
   *   long; `releasedMsAgo`: milliseconds since a task was last released; `parked`: number of waiting tasks
   */
  circuit(model: string): Promise<{ open: boolean; probeInMs: number; releasedMsAgo: number; parked: number }>;
}
