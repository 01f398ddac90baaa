import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import type { WebhookResponse, Webhooks } from '../../../contract/ports/index.ts';
import { externalCallId, typedTool } from '../typed-tool.ts';

const Input = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .describe('Where to send it, as a person or a document gave it'),
  type: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'expected letters, digits, dots, dashes and underscores')
    .describe('What has happened or shall happen, like order.approved'),
  data: z.record(z.string(), z.unknown()).describe('What the receiver needs to know'),
});

/** The receiver took nothing, and may accept the same request later. */
const tooManyRequests = 429;
/** Besides every 5xx: the receiver, or a proxy in front of it, does not say whether it took the request. */
const requestTimeout = 408;
/** Longest part of the response that the model reads, in characters. */
const maxAnswerLength = 2_000;

type Options = {
  /** `whsec_…` */
  secret: string;
  /** Hosts that may be called. Empty: every public host. */
  hosts: readonly string[];
};

export const sendWebhookTool = (webhooks: Webhooks, { secret, hosts }: Options) =>
  typedTool({
    name: 'send_webhook',
    description:
      'Sends an event to another system: a signed HTTP POST of {type, timestamp, data} as JSON. It cannot be taken back. Returns the status and the beginning of the answer.',
    effect: 'write',
    // Every attempt has the same webhook-id, so the receiver can detect repeats.
    repeatable: true,
    input: Input,
    check({ url }) {
      const { hostname } = new URL(url);
      if (hosts.length > 0 && !hosts.includes(hostname))
        throw new AlfredError(
          'destination_forbidden',
          `${hostname} is none of the hosts that send_webhook may call: ${hosts.join(', ')}.`,
        );
    },
    async run({ url, type, data }, context) {
      const id = `msg_${externalCallId(context.receiptKey)}`;
      const body = { type, timestamp: new Date().toISOString(), data };
      const response = await webhooks.send(
        { url, secret, id, body },
        { signal: context.signal, beforeSend: () => context.beforeSend() },
      );
      throwUnlessAccepted(response);
      const { receiver, status, text } = response;
      return {
        output: { status, ...(text ? { answer: text.slice(0, maxAnswerLength) } : {}) },
        summary: `${type} sent to ${receiver}, which answered ${status}`,
      };
    },
  });

/**
 * @throws AlfredError `effect_unknown` when the receiver may have taken the request although its answer is an error,
 *   `tool_failed` when it may accept a later attempt, else `destination_refused`, which is reported to the model
 */
function throwUnlessAccepted({ receiver, status, text, retryAfterMs }: WebhookResponse): void {
  if (status >= 200 && status < 300) return;
  if (status >= 500 || status === requestTimeout)
    throw new AlfredError(
      'effect_unknown',
      `${receiver} answered ${status}: it may or may not have taken what was sent, also after several attempts.`,
      { retryAfterMs },
    );
  if (status === tooManyRequests)
    throw new AlfredError('tool_failed', `${receiver} answered ${status}.`, { retryAfterMs });
  const explanation = text ? ` It says: ${text.slice(0, maxAnswerLength)}` : '';
  throw new AlfredError(
    'destination_refused',
    status < 400
      ? `${receiver} answered ${status}; redirects are not followed. Ask for the final address.`
      : `${receiver} answered ${status} and did not take it.${explanation}`,
  );
}
