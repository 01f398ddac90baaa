import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isRecord, parseJson } from '../../../contract/json.ts';
import type { Clock } from './clock.ts';
import type { Delivery, Sent, Transport } from './deliveries.ts';
import { deliveryLimits, socketLimits } from './limits.ts';
import type { App } from './types.ts';

type Connection = { id: number; socket: WebSocket; leaving: boolean; delivered: number };

export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';

export type SocketMode = ReturnType<typeof createSocketMode>;

const envelopeTypes: Record<Delivery['kind'], string> = {
  event: 'events_api',
  interactive: 'interactive',
  command: 'slash_commands',
};

/** How often the server pings: the client gives up after 30 seconds without one. */
const pingMs = 5_000;

/** Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode */
export function createSocketMode({ app, clock }: { app: App; clock: Clock }) {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const connections = new Map<number, Connection>();
  const waiting = new Map<string, (sent: Sent) => void>();
  let connectionIds = 0;
  let next = 0;
  let ignoredAcknowledgements = 0;

  const send = (connection: Connection, message: unknown) => connection.socket.send(JSON.stringify(message));

  const disconnect = (connection: Connection, reason: DisconnectReason) => {
    connection.leaving = true;
    send(connection, { type: 'disconnect', reason, debug_info: { host: `wss-${connection.id}` } });
    if (reason !== 'warning') connection.socket.close(1000);
  };

  const refresh = (connection: Connection, seconds: number) => {
    const ifOpen = (reason: DisconnectReason) => () => {
      if (connections.has(connection.id)) disconnect(connection, reason);
    };
    const warn = clock.after(seconds * 1_000 - socketLimits.warningMs, ifOpen('warning'));
    const end = clock.after(seconds * 1_000, ifOpen('refresh_requested'));
    return () => [warn, end].forEach((cancel) => cancel());
  };

  const receive = (data: string) => {
    const message = parseJson(data);
    const id = isRecord(message) ? message['envelope_id'] : undefined;
    if (typeof id !== 'string') return;
    if (ignoredAcknowledgements > 0) {
      ignoredAcknowledgements -= 1;
      return;
    }
    const payload = isRecord(message) && isRecord(message['payload']) ? message['payload'] : undefined;
    waiting.get(id)?.({ outcome: 'acknowledged', response: payload });
  };

  const accept = (socket: WebSocket, debug: boolean) => {
    connectionIds += 1;
    const connection: Connection = { id: connectionIds, socket, leaving: false, delivered: 0 };
    const seconds = debug ? socketLimits.debugConnectionSeconds : socketLimits.connectionSeconds;
    const pings = setInterval(() => socket.ping(), pingMs).unref();
    const cancelRefresh = refresh(connection, seconds);
    socket.on('close', () => {
      clearInterval(pings);
      cancelRefresh();
      connections.delete(connection.id);
    });
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => receive(data.toString('utf8')));
    if (connections.size >= socketLimits.connections) {
      disconnect(connection, 'too_many_websockets');
      return;
    }
    connections.set(connection.id, connection);
    socket.ping();
    send(connection, {
      type: 'hello',
      num_connections: connections.size,
      connection_info: { app_id: app.id },
      debug_info: { host: `wss-${connection.id}`, approximate_connection_time: seconds },
    });
  };

  /** Each envelope goes to one connection, in turn. */
  const choose = (): Connection | undefined => {
    const open = [...connections.values()].filter(({ leaving, socket }) => !leaving && socket.readyState === 1);
    next += 1;
    return open[next % open.length];
  };

  const transport: Transport = {
    async send(delivery, retry): Promise<Sent> {
      const connection = choose();
      if (!connection) return { outcome: 'connection_failed' };
      const envelopeId = randomUUID();
      const { promise, resolve } = Promise.withResolvers<Sent>();
      const cancel = clock.after(deliveryLimits.acknowledgeMs, () => resolve({ outcome: 'timeout' }));
      waiting.set(envelopeId, resolve);
      connection.delivered += 1;
      send(connection, {
        type: envelopeTypes[delivery.kind],
        envelope_id: envelopeId,
        payload: delivery.payload,
        accepts_response_payload: delivery.kind !== 'event',
        ...(delivery.kind === 'event' ? { retry_attempt: retry?.number ?? 0, retry_reason: retry?.reason ?? '' } : {}),
      });
      const sent = await promise;
      cancel();
      waiting.delete(envelopeId);
      return sent;
    },
  };

  return {
    transport,
    connections: () => [...connections.values()].map(({ id, delivered, leaving }) => ({ id, delivered, leaving })),
    /** An address that can be used once: `apps.connections.open`. */
    open(wsUrl: string): string {
      const ticket = randomUUID();
      tickets.add(ticket);
      return `${wsUrl}/link/?ticket=${ticket}&app_id=${app.id}`;
    },
    attach(http: Server) {
      http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        const url = new URL(request.url ?? '/', 'http://localhost');
        if (!tickets.delete(url.searchParams.get('ticket') ?? '')) {
          socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
          return;
        }
        server.handleUpgrade(request, socket, head, (opened) =>
          accept(opened, url.searchParams.get('debug_reconnects') === 'true'),
        );
      });
    },
    /** Slack's ordinary end of a connection; `abrupt` cuts it without a word. */
    disconnect(how: DisconnectReason | 'abrupt' = 'refresh_requested') {
      for (const connection of connections.values()) {
        if (how === 'abrupt') connection.socket.terminate();
        else disconnect(connection, how);
      }
    },
    /** The next acknowledgements get lost on the way. */
    loseAcknowledgements(count: number) {
      ignoredAcknowledgements = count;
    },
    stop() {
      for (const { socket } of connections.values()) socket.terminate();
      for (const resolve of waiting.values()) resolve({ outcome: 'connection_failed' });
      server.close();
    },
  };
}
