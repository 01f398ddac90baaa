import { z } from 'zod';
import { AlfredError } from '../../../contract/errors.ts';
import type { WebhookResponse, Webhooks } from '../../../contract/ports/index.ts';
import { stableId } from './stable-id.ts';
import { typedTool } from '../typed-tool.ts';

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

/** Statuses after which the same request may be taken later; every 5xx is one, too. */
const retryable = [408, 429];
/** Characters of an answer that the model reads. */
const answerLimit = 2_000;

/** @param options `hosts`: those that may be called; empty: every public one */
export const sendWebhookTool = (webhooks: Webhooks, { secret, hosts }: { secret: string; hosts: readonly string[] }) =>
  typedTool({
    name: 'send_webhook',
    description:
      'Sends an event to another system: a signed HTTP POST of {type, timestamp, data} as JSON. It cannot be taken back. Returns the status and the beginning of the answer.',
    effect: 'write',
    // The receiver gets the same webhook-id with every repeat.
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
      const id = `msg_${stableId(context.receiptKey)}`;
      const body = { type, timestamp: new Date().toISOString(), data };
      const answer = await webhooks.send(
        { url, secret, id, body },
        { signal: context.signal, beforeSend: () => context.beforeSend() },
      );
      refuseUnlessTaken(answer);
      const { receiver, status, text } = answer;
      return {
        output: { status, ...(text ? { answer: text.slice(0, answerLimit) } : {}) },
        summary: `${type} sent to ${receiver}, which answered ${status}`,
      };
    },
  });

/** @throws AlfredError `tool_failed` when a later repeat may be taken, else `destination_refused`, which the model reads */
function refuseUnlessTaken({ receiver, status, text, retryAfterMs }: WebhookResponse): void {
  if (status >= 200 && status < 300) return;
  if (status >= 500 || retryable.includes(status))
    throw new AlfredError('tool_failed', `${receiver} answered ${status}.`, { retryAfterMs });
  const said = text ? ` It says: ${text.slice(0, answerLimit)}` : '';
  throw new AlfredError(
    'destination_refused',
    status < 400
      ? `${receiver} answered ${status}; redirects are not followed. Ask for the final address.`
      : `${receiver} answered ${status} and did not take it.${said}`,
  );
}
