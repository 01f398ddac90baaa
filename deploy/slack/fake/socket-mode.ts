import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { isRecord, parseJson } from '../../../contract/json.ts';
import type { Clock } from './clock.ts';
import type { Delivery, Sent, Transport } from './deliveries.ts';
import { deliveryLimits, socketLimits } from './limits.ts';
import { createSocketConnections, sendJson } from './socket-connections.ts';
import type { App } from './types.ts';

const envelopeTypes: Record<Delivery['kind'], string> = {
  event: 'events_api',
  interactive: 'interactive',
  command: 'slash_commands',
  // Socket Mode has no address to verify.
  verification: 'hello',
};

/** Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode */
export function createSocketMode({ app, clock }: { app: App; clock: Clock }) {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const waiting = new Map<string, (sent: Sent) => void>();
  let toLose = 0;

  const receive = (data: string) => {
    const message = parseJson(data);
    if (!isRecord(message) || typeof message['envelope_id'] !== 'string') return;
    if (toLose > 0) {
      toLose -= 1;
      return;
    }
    const response = isRecord(message['payload']) ? message['payload'] : undefined;
    waiting.get(message['envelope_id'])?.({ outcome: 'acknowledged', response });
  };
  const connections = createSocketConnections({ app, clock, receive });

  const transport: Transport = {
    send: async (delivery, retry): Promise<Sent> => {
      const connection = connections.choose();
      if (!connection) return { outcome: 'connection_failed' };
      const envelopeId = randomUUID();
      const { promise, resolve } = Promise.withResolvers<Sent>();
      const cancel = clock.after(deliveryLimits.acknowledgeMs, () => resolve({ outcome: 'timeout' }));
      waiting.set(envelopeId, resolve);
      connection.delivered += 1;
      const isEvent = delivery.kind === 'event';
      sendJson(connection, {
        type: envelopeTypes[delivery.kind],
        envelope_id: envelopeId,
        payload: delivery.payload,
        accepts_response_payload: !isEvent,
        ...(isEvent ? { retry_attempt: retry?.number ?? 0, retry_reason: retry?.reason ?? '' } : {}),
      });
      const sent = await promise;
      cancel();
      waiting.delete(envelopeId);
      return sent;
    },
  };

  return {
    transport,
    connections: () => [...connections.all.values()].map(({ id, delivered, leaving }) => ({ id, delivered, leaving })),
    disconnect: connections.disconnect,
    /** An address that can be used once: `apps.connections.open`. */
    open: (wsUrl: string): string => {
      const ticket = randomUUID();
      tickets.add(ticket);
      return `${wsUrl}/link/?ticket=${ticket}&app_id=${app.id}`;
    },
    attach: (http: Server) => {
      http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const url = new URL(request.url ?? '/', 'http://localhost');
        if (!tickets.delete(url.searchParams.get('ticket') ?? '')) {
          socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
          return;
        }
        const debug = url.searchParams.get('debug_reconnects') === 'true';
        const seconds = debug ? socketLimits.debugConnectionSeconds : socketLimits.connectionSeconds;
        server.handleUpgrade(request, socket, head, (opened) => connections.accept(opened, seconds));
      });
    },
    /** The next acknowledgements get lost on the way. */
    loseAcknowledgements: (count: number) => {
      toLose = count;
    },
    stop: () => {
      for (const { socket } of connections.all.values()) socket.terminate();
      for (const resolve of waiting.values()) resolve({ outcome: 'connection_failed' });
      server.close();
    },
  };
}
