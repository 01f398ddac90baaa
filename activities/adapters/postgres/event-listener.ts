import pg from 'pg';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { Logger } from '../../../runtime/logger.ts';

/** How often a follower looks by itself: rarely while notifications arrive, often while they cannot. */
const pollMs = { connected: 15_000, disconnected: 1_000 };

/** One LISTEN connection a process, opened with the first follower, opened again when it breaks. */
export function createEventListener(databaseUrl: string, log: Logger) {
  const followers = new Map<string, Set<(ended: boolean) => void>>();
  let connection: Promise<void> | undefined;
  let client: pg.Client | undefined;
  let connected = false;
  let closed = false;

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({ connectionString: databaseUrl, application_name: 'alfred events', keepAlive: true });
    const lost = (error?: Error) => {
      if (client !== fresh) return;
      client = undefined;
      connected = false;
      connection = undefined;
      fresh.end().catch(() => {});
      if (closed) return;
      if (error) log.warn({ error: error.message }, 'the event listener lost its connection');
      for (const wakes of followers.values()) for (const wake of wakes) wake(true);
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
      connected = true;
    } catch (error) {
      lost(error as Error);
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
          connection ??= connect();
          armed = Promise.withResolvers<void>();
        },
        async next(signal: AbortSignal) {
          // The first read may have come before LISTEN was in force: look once more when it is.
          const wasConnected = connected;
          if (!wasConnected) await Promise.race([connection, armed.promise]);
          if (!wasConnected && connected) return;
          let timer: NodeJS.Timeout | undefined;
          const aborted = () => armed.resolve();
          signal.addEventListener('abort', aborted, { once: true });
          if (signal.aborted) armed.resolve();
          await Promise.race([
            armed.promise,
            new Promise<void>(
              (resolve) => (timer = setTimeout(resolve, connected ? pollMs.connected : pollMs.disconnected)),
            ),
          ]);
          clearTimeout(timer);
          signal.removeEventListener('abort', aborted);
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
