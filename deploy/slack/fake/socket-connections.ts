import type { WebSocket } from 'ws';
import type { Clock } from './clock.ts';
import { socketLimits } from './limits.ts';
import type { App } from './types.ts';

export type Connection = { id: number; socket: WebSocket; leaving: boolean; delivered: number };

export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';

/** How often the server pings: the client gives up after 30 seconds without one. */
const pingMs = 5_000;

export const sendJson = ({ socket }: Pick<Connection, 'socket'>, message: unknown): void =>
  socket.send(JSON.stringify(message));

/** The open connections of the app. Slack ends each one after some hours, with a warning before. */
export function createSocketConnections({
  app,
  clock,
  receive,
}: {
  app: App;
  clock: Clock;
  receive: (data: string) => void;
}) {
  const connections = new Map<number, Connection>();
  let lastId = 0;
  let turn = 0;

  const disconnect = (connection: Connection, reason: DisconnectReason) => {
    connection.leaving = true;
    sendJson(connection, { type: 'disconnect', reason, debug_info: { host: `wss-${connection.id}` } });
    if (reason !== 'warning') connection.socket.close(1000);
  };

  const refreshAfter = (connection: Connection, seconds: number) => {
    const ifOpen = (reason: DisconnectReason) => () => {
      if (connections.has(connection.id)) disconnect(connection, reason);
    };
    const warn = clock.after(seconds * 1_000 - socketLimits.warningMs, ifOpen('warning'));
    const end = clock.after(seconds * 1_000, ifOpen('refresh_requested'));
    return () => [warn, end].forEach((cancel) => cancel());
  };

  return {
    all: connections,
    /** @param seconds until Slack replaces the connection */
    accept: (socket: WebSocket, seconds: number) => {
      lastId += 1;
      const connection: Connection = { id: lastId, socket, leaving: false, delivered: 0 };
      socket.on('error', () => socket.terminate());
      if (connections.size >= socketLimits.connections) return disconnect(connection, 'too_many_websockets');
      const pings = setInterval(() => socket.ping(), pingMs).unref();
      const cancelRefresh = refreshAfter(connection, seconds);
      socket.on('close', () => {
        clearInterval(pings);
        cancelRefresh();
        connections.delete(connection.id);
      });
      socket.on('message', (data: Buffer) => receive(data.toString('utf8')));
      connections.set(connection.id, connection);
      socket.ping();
      sendJson(connection, {
        type: 'hello',
        num_connections: connections.size,
        connection_info: { app_id: app.id },
        debug_info: { host: `wss-${connection.id}`, approximate_connection_time: seconds },
      });
    },
    /** Each envelope goes to one connection, in turn. */
    choose: (): Connection | undefined => {
      const open = [...connections.values()].filter(({ leaving, socket }) => !leaving && socket.readyState === 1);
      turn += 1;
      return open[turn % open.length];
    },
    /** Slack's ordinary end of a connection; `abrupt` cuts it without a word. */
    disconnect: (how: DisconnectReason | 'abrupt' = 'refresh_requested') => {
      for (const connection of connections.values()) {
        if (how === 'abrupt') connection.socket.terminate();
        else disconnect(connection, how);
      }
    },
  };
}
