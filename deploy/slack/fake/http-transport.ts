import { createHmac } from 'node:crypto';
import { isRecord, parseJson } from '../../../contract/json.ts';
import type { Clock } from './clock.ts';
import type { Delivery, Sent, Transport } from './deliveries.ts';
import { deliveryLimits } from './limits.ts';
import type { App, Args } from './types.ts';

/** Where the app listens: one address for everything, or one for each kind. */
export type RequestUrls = { events: string; interactive: string; commands: string };

/** Headers of a signed request: https://docs.slack.dev/authentication/verifying-requests-from-slack */
export function sign(body: string, secret: string, timestamp: number): Record<string, string> {
  const digest = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(timestamp), 'x-slack-signature': `v0=${digest}` };
}

const form = (fields: Args): string =>
  new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ).toString();

export function encodeDelivery({ kind, payload }: Pick<Delivery, 'kind' | 'payload'>): { body: string; type: string } {
  if (kind === 'event' || kind === 'verification') return { body: JSON.stringify(payload), type: 'application/json' };
  const fields = kind === 'command' ? payload : { payload: JSON.stringify(payload) };
  return { body: form(fields), type: 'application/x-www-form-urlencoded' };
}

const addressOf = (urls: RequestUrls, kind: Delivery['kind']): string =>
  ({ event: urls.events, verification: urls.events, interactive: urls.interactive, command: urls.commands })[kind];

/** Signs with the real time: the app compares it with its own clock, which cannot be set. */
export function createHttpTransport({
  app,
  clock,
  urls,
}: {
  app: App;
  clock: Clock;
  urls: () => RequestUrls;
}): Transport {
  return {
    async send(delivery, retry): Promise<Sent> {
      const { body, type } = encodeDelivery(delivery);
      const headers: Record<string, string> = {
        'content-type': type,
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        ...sign(body, app.signingSecret, Math.floor(Date.now() / 1_000)),
        ...(retry ? { 'x-slack-retry-num': String(retry.number), 'x-slack-retry-reason': retry.reason } : {}),
      };
      const { promise: late, resolve } = Promise.withResolvers<Sent>();
      const cancel = clock.after(deliveryLimits.acknowledgeMs, () => resolve({ outcome: 'http_timeout' }));
      const answered = fetch(addressOf(urls(), delivery.kind), { method: 'POST', headers, body }).then(
        async (response): Promise<Sent> => {
          const content = await response.text();
          const { status } = response;
          if (!response.ok && response.headers.get('x-slack-no-retry') === '1') return { outcome: 'no_retry', status };
          if (!response.ok) return { outcome: 'http_error', status };
          const value = parseJson(content);
          const plain = content === '' ? undefined : { text: content };
          return { outcome: 'acknowledged', status, response: isRecord(value) ? value : plain };
        },
        (): Sent => ({ outcome: 'connection_failed' }),
      );
      const sent = await Promise.race([answered, late]);
      cancel();
      return sent;
    },
  };
}
