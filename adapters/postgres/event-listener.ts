import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { taskEventsChannel } from '../../contract/ids.ts';
import type { Logger } from '../../runtime/logger.ts';

/** How often a follower looks by itself: rarely while notifications arrive, often while they cannot. */
const pollMs = { connected: 15_000, disconnected: 1_000 };
/** How long to wait before a connection that failed is tried again. */
const reconnectMs = 1_000;

/** One LISTEN connection a process, opened with the first follower, opened again when it breaks. */
export function createEventListener(databaseUrl: string, log: Logger) {
  const followers = new Map<string, Set<(ended: boolean) => void>>();
  let client: pg.Client | undefined;
  let connecting = false;
  let connected = false;
  let closed = false;

  const wakeAll = () => {
    for (const wakes of followers.values()) for (const wake of wakes) wake(true);
  };

  const connect = async (): Promise<void> => {
    if (connecting || connected || closed) return;
    connecting = true;
    const fresh = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'alfred events',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const lost = (error?: Error) => {
      if (client !== fresh) return;
      client = undefined;
      fresh.end().catch(() => {});
      if (error && !closed) log.warn({ error: error.message }, 'the event listener has no connection');
      // Whoever waited for notifications looks for itself, and has the connection opened again.
      if (connected) wakeAll();
      connected = false;
    };
    client = fresh;
    fresh.on('error', lost);
    fresh.on('end', () => lost());
    fresh.on('notification', ({ payload = '' }) => {
      const [taskId = '', ended] = payload.split(' ');
      followers.get(taskId)?.forEach((wake) => wake(ended !== undefined));
    });
    try {
      await fresh.connect();
      await fresh.query(`listen ${taskEventsChannel}`);
      connected = client === fresh;
      // What was written before LISTEN was in force woke nobody.
      wakeAll();
    } catch (error) {
      lost(error as Error);
      await sleep(reconnectMs, undefined, { ref: false });
    } finally {
      connecting = false;
    }
  };

  return {
    /**
     * Tells when a task may have new events. `arm` before reading, then `next`: an event that comes in between is not
     * missed.
     *
     * @param only `end`: sleep through everything but the task's end
     */
    listen(taskId: string, only: 'all' | 'end' = 'all') {
      let armed = Promise.withResolvers<void>();
      const wake = (ended: boolean) => {
        if (only === 'all' || ended) armed.resolve();
      };
      const wakes = followers.get(taskId) ?? new Set();
      followers.set(taskId, wakes.add(wake));
      return {
        arm() {
          void connect();
          armed = Promise.withResolvers<void>();
        },
        async next(signal: AbortSignal) {
          const stop = () => armed.resolve();
          signal.addEventListener('abort', stop, { once: true });
          if (signal.aborted) stop();
          const timer = setTimeout(stop, connected ? pollMs.connected : pollMs.disconnected);
          await armed.promise;
          clearTimeout(timer);
          signal.removeEventListener('abort', stop);
        },
        close() {
          wakes.delete(wake);
          if (wakes.size === 0) followers.delete(taskId);
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
