import type { CallbackState } from '../callback.ts';
import type { CallbackRef, Scope } from '../references.ts';

/** Signed posts to addresses that somebody else named. */
export interface Webhooks {
  /**
   * Posts a body as JSON, signed as Standard Webhooks says, to a public address.
   *
   * @param webhook `secret`: `whsec_…`; `id`: the same for every attempt, so that the receiver can tell repeats apart
   * @param options `leaving` runs when the connection stands and nothing has been sent
   * @returns whatever the receiver answered; redirects are not followed
   * @throws AlfredError `destination_forbidden`, `tool_failed`: nothing was sent; `effect_unknown`: something
   *   was, and no answer came
   */
  send(
    webhook: { url: string; secret: string; id: string; body: unknown },
    options: { signal: AbortSignal; leaving?: () => Promise<void> },
  ): Promise<WebhookAnswer>;
}

/** `receiver`: host and port, which is all of the address that may be kept or shown. `text`: the beginning of the body. */
export type WebhookAnswer = { receiver: string; status: number; text: string; retryAfterMs?: number };

/** Who is told when a task ends. */
export interface Callbacks {
  get(scope: Scope, taskId: string): Promise<CallbackState | undefined>;
  /** Makes the callback of an ended task due once more, as a delivery of its own. */
  again(scope: Scope, taskId: string): Promise<void>;
  /** Begins an attempt, if the task has ended and its callback is due. */
  begin(scope: Scope, taskId: string): Promise<CallbackAttempt | undefined>;
  /** Writes down how an attempt went, unless something newer has happened to the callback. */
  settle(scope: Scope, taskId: string, attempt: CallbackAttempt, outcome: CallbackOutcome): Promise<void>;
  /** Ends a delivery without another attempt. */
  giveUp(scope: Scope, taskId: string): Promise<void>;
  /** Callbacks of ended tasks that nobody seems to deliver, over all tenants; for the sweep. */
  forgotten(limit: number): Promise<CallbackRef[]>;
}

/** `delivery` and `attempt` count from 1: deliveries of this callback, attempts over all of them. */
export type CallbackAttempt = { url: string; secret: string; delivery: number; attempt: number };

/** `delivering`: there will be another attempt. */
export type CallbackOutcome = {
  state: 'delivering' | 'delivered' | 'failed';
  status: number | null;
  error: string | null;
};
