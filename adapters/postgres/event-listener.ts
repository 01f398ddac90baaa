import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v4 as newToken } from 'uuid';
import { taskEventsChannel } from '../../contract/ids.ts';
import type { Logger } from '../../runtime/logger.ts';

/** How long a follower waits before it reads without a notification. Shorter while notifications cannot arrive. */
const pollMs = { connected: 15_000, disconnected: 1_000 };
/** How long a notification to this process itself may take. */
const selfCheckMs = 5_000;
/** How long to wait after a failed connection before the next attempt. */
const reconnectMs = 1_000;

/** After a connection that heard nothing, the next one is tried so much later. */
const deafForMs = 60_000;
const deaf =
  'LISTEN takes no effect, as behind a pooler in transaction mode: streams ask the database every second. Set DATABASE_DIRECT_URL to an address without the pooler.';

type Wake = (isEnd: boolean) => void;

/**
 * One LISTEN connection a process, shared by all followers. The first
 * follower opens it, and a follower opens it again when it is lost.
 *
 * @param urlOf called for each connection, because the password may have changed
 */
export function createEventListener(urlOf: () => string, log: Logger) {
  const followers = new Map<string, Set<Wake>>();
  let client: pg.Client | undefined;
  let connecting = false;
  let connected = false;
  let closed = false;
  /** Until then no connection is tried: the last one heard nothing, as through a pooler. */
  let deafUntilMs = 0;

  const wakeAll = () => {
    for (const wakes of followers.values()) for (const wake of wakes) wake(true);
  };

  const connect = async (): Promise<void> => {
    if (connecting || connected || closed || performance.now() < deafUntilMs) return;
    connecting = true;
    let newClient: pg.Client;
    try {
      newClient = newListenClient(urlOf());
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the event listener has no connection');
      await sleep(reconnectMs, undefined, { ref: false });
      connecting = false;
      return;
    }
    const onLost = (error?: Error) => {
      if (client !== newClient) return;
      client = undefined;
      newClient.end().catch(() => {});
      if (error && !closed) log.warn({ error: error.message }, 'the event listener has no connection');
      // Followers read once without a notification, and open the connection again when they wait.
      if (connected) wakeAll();
      connected = false;
    };
    client = newClient;
    newClient.on('error', onLost);
    newClient.on('end', () => onLost());
    newClient.on('notification', ({ payload = '' }) => {
      // The payload is the id, followed by "end" when the task has ended.
      const [id = '', end] = payload.split(' ');
      followers.get(id)?.forEach((wake) => wake(end !== undefined));
    });
    try {
      await newClient.connect();
      await newClient.query(`listen ${taskEventsChannel}`);
      connected = client === newClient && (await hearsItself(newClient));
      if (!connected && client === newClient) {
        deafUntilMs = performance.now() + deafForMs;
        log.error(deaf);
        onLost();
      }
      // Events that were written before LISTEN took effect have sent no notification.
      wakeAll();
    } catch (error) {
      onLost(error as Error);
      await sleep(reconnectMs, undefined, { ref: false });
    } finally {
      connecting = false;
    }
  };

  return {
    /** Connects, and logs when notifications do not arrive. The first follower does the same. */
    start: () => connect(),

    /**
     * Reports when a task or conversation may have new events. Call `arm` before reading, then `next`: an event that is
     * written in between is not missed.
     *
     * @param only `end`: ignore everything but the task's end
     */
    listen(id: string, only: 'all' | 'end' = 'all') {
      let armed = Promise.withResolvers<void>();
      const wake = (isEnd: boolean) => {
        if (only === 'all' || isEnd) armed.resolve();
      };
      const wakes = followers.get(id) ?? new Set();
      followers.set(id, wakes.add(wake));
      return {
        arm() {
          void connect();
          armed = Promise.withResolvers<void>();
        },
        async next(signal: AbortSignal) {
          await settledWithin(armed, connected ? pollMs.connected : pollMs.disconnected, signal);
        },
        close() {
          wakes.delete(wake);
          if (wakes.size === 0) followers.delete(id);
        },
      };
    },

    async close() {
      closed = true;
      await client?.end().catch(() => {});
    },
  };
}
export type EventListener = ReturnType<typeof createEventListener>;

/** Waits until `armed` is resolved; resolves it itself after the time, or when `signal` aborts. */
async function settledWithin(armed: PromiseWithResolvers<void>, ms: number, signal: AbortSignal): Promise<void> {
  const stop = () => armed.resolve();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const timer = setTimeout(stop, ms);
  await armed.promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', stop);
}

const newListenClient = (connectionString: string) =>
  new pg.Client({
    connectionString,
    application_name: 'alfred events',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });

/** Whether a notification reaches the connection that listens. A pooler may take LISTEN without an effect. */
async function hearsItself(client: pg.Client): Promise<boolean> {
  const token = `self-check-${newToken()}`;
  const heard = Promise.withResolvers<boolean>();
  const onNotification = ({ payload }: pg.Notification) => payload === token && heard.resolve(true);
  client.on('notification', onNotification);
  const timer = setTimeout(() => heard.resolve(false), selfCheckMs);
  try {
    await client.query('select pg_notify($1, $2)', [taskEventsChannel, token]);
    return await heard.promise;
  } finally {
    clearTimeout(timer);
    client.off('notification', onNotification);
  }
}
