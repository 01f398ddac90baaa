import type { CallbackState, PushConfig, PushConfigView } from '../callback.ts';
import type { CallbackRef } from '../references.ts';

/** HTTP POSTs to addresses that come from models or API callers. */
export interface Webhooks {
  /**
   * Posts a JSON body to a public address, signed according to Standard Webhooks or with headers of the receiver.
   * Redirects are not followed.
   *
   * @param webhook `secret`: `whsec_…`; `id`: the same in every attempt, so that the receiver can detect repeats;
   *   `headers` in place of a secret: sent as they are, without a signature
   * @param options `beforeSend` runs after the connection is open and before anything is sent
   * @returns the response, with any status
   * @throws AlfredError `destination_forbidden` or `tool_failed` when nothing was sent; `effect_unknown` when the
   *   request was sent and no response came
   */
  send(
    webhook: { url: string; id: string; body: unknown } & ({ secret: string } | { headers: Record<string, string> }),
    options: { signal: AbortSignal; beforeSend?: () => Promise<void> },
  ): Promise<WebhookResponse>;
}

export type WebhookResponse = {
  /** Host and port. The rest of the address may hold secrets and must not be stored or shown. */
  receiver: string;
  status: number;
  /** The beginning of the body. */
  text: string;
  /** The pause that the receiver asked for before the next attempt. */
  retryAfterMs?: number;
};

/** An email as it is sent. Addresses are plain; `from` may also be `Name <address>`. */
export type Mail = {
  from: string;
  to: string[];
  cc?: string[] | undefined;
  replyTo?: string | undefined;
  subject: string;
  /** Plain text. */
  text: string;
  /** With angle brackets. */
  messageId: string;
};

/** Which recipients the mail server accepted: at least one, because sending fails otherwise. */
export type MailReceipt = { accepted: string[]; rejected: { address: string; reason: string }[] };

/** Sends email. */
export interface MailTransport {
  /**
   * Sends a mail.
   *
   * @param options `beforeSend` runs after the connection is open and signed in, and before the mail is sent
   * @throws AlfredError `tool_failed` or `destination_refused` when the mail was not sent; `effect_unknown` when the
   *   connection broke before the server confirmed that it had received the mail
   */
  send(mail: Mail, options: { signal: AbortSignal; beforeSend: () => Promise<void> }): Promise<MailReceipt>;
}

/** Webhooks that report the end of a task or of an upload to the API caller who asked for it. */
export interface Callbacks {
  get(callback: CallbackRef): Promise<CallbackState | undefined>;

  /**
   * Makes the callback of an ended task or upload due again, as a new delivery.
   *
   * @throws AlfredError `callback_missing` when its secret is no longer kept
   */
  redeliver(callback: CallbackRef): Promise<void>;

  /**
   * Makes a push config the callback of a task. One with the same id is replaced.
   *
   * @returns false when the task has another callback, or has no row
   */
  setPush(task: TaskCallbackRef, config: PushConfig): Promise<boolean>;
  findPush(task: TaskCallbackRef): Promise<PushConfigView | undefined>;
  /** @returns false when the task has none */
  removePush(task: TaskCallbackRef): Promise<boolean>;

  /** Begins an attempt. @returns undefined unless the task or upload has ended and its callback is due */
  beginAttempt(callback: CallbackRef): Promise<CallbackAttempt | undefined>;

  /** Notes that a delivery is under way although its next attempt has to wait. @returns false unless it is due */
  putOff(callback: CallbackRef): Promise<boolean>;

  /**
   * Records the outcome of an attempt, unless a newer attempt or delivery has begun.
   *
   * @returns the state of the delivery: `failed` also when the receiver has failed for a day. Time in which it was not
   *   asked, because of an outage of our own, does not count
   */
  settleAttempt(
    callback: CallbackRef,
    attempt: CallbackAttempt,
    outcome: CallbackOutcome,
  ): Promise<CallbackOutcome['state']>;

  /** Ends a delivery as failed, without another attempt. */
  giveUp(callback: CallbackRef): Promise<void>;

  /** Lists callbacks of all tenants that no workflow seems to deliver. The sweep, a periodic check, restarts them. */
  listOverdue(limit: number): Promise<CallbackRef[]>;

  /** Removes the secrets of callbacks that were settled 30 days ago. @returns how many, at most `limit` */
  removeOldSecrets(limit: number): Promise<number>;
}

export type TaskCallbackRef = Extract<CallbackRef, { taskId: string }>;

export type CallbackAttempt = {
  url: string;
  /** Signs a webhook. Absent for a push config. */
  secret?: string;
  push?: Pick<PushConfig, 'token' | 'authentication'>;
  /** Number of the delivery, from 1. */
  delivery: number;
  /** Number of the attempt over all deliveries, from 1. */
  attempt: number;
};

export type CallbackOutcome = {
  /** `delivering`: this attempt failed, and the next one follows. */
  state: 'delivering' | 'delivered' | 'failed';
  status: number | null;
  error: string | null;
};
