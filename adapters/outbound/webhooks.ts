import { Webhook } from 'standardwebhooks';
import type { Webhooks } from '../../contract/ports/index.ts';
import { parseDestination } from './destination.ts';
import type { Outbound } from './outbound.ts';
import { retryAfterHeaderMs } from './retry-after.ts';

/** Sends webhooks according to the Standard Webhooks specification (https://www.standardwebhooks.com). */
export const createWebhooks = (outbound: Outbound): Webhooks => ({
  async send({ url, id, body, ...proof }, { signal, beforeSend }) {
    const payload = JSON.stringify(body);
    const now = new Date();
    const { status, headers, text } = await outbound.call({
      url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        ...('secret' in proof
          ? { 'webhook-signature': new Webhook(proof.secret).sign(id, now, payload) }
          : proof.headers),
      },
      body: payload,
      signal,
      beforeSend,
    });
    const retryAfterMs = retryAfterHeaderMs(headers['retry-after'] ?? '');
    return {
      status,
      text,
      receiver: parseDestination(url).name,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  },
});
