import pg from 'pg';

/** Rows that a worker has just written; a crash right after such a write is a hard case. */
export const crashPoints = ['charged', 'stored', 'intent', 'receipt'] as const;
/** Also: a request is about to be sent, a person has decided, a task has resumed. */
export type CrashPoint = (typeof crashPoints)[number] | 'left' | 'decided' | 'resumed';

const triggers = `
  create function notify_crash_point() returns trigger language plpgsql as $$
    begin perform pg_notify('crash_points', tg_argv[0] || ' ' || current_setting('application_name')); return null; end $$;
  create trigger charged after insert on model_calls for each row execute function notify_crash_point('charged');
  create trigger stored after update of outcome on model_calls for each row when (new.outcome = 'completed')
    execute function notify_crash_point('stored');
  create trigger left_at after update of left_at on tool_calls for each row when (new.left_at is not null and old.left_at is null)
    execute function notify_crash_point('left');
  create trigger decided after update of decided_at on approvals for each row when (new.decided_at is not null and old.decided_at is null)
    execute function notify_crash_point('decided');
  create trigger resumed after insert on task_events for each row when (new.type = 'task.resumed')
    execute function notify_crash_point('resumed');
  create trigger intent after insert on tool_calls for each row execute function notify_crash_point('intent');
  create trigger receipt after update of result_hash on tool_calls for each row execute function notify_crash_point('receipt')`;

/**
 * Reports which process has just reached a crash point. Triggers send the process's `application_name`, so each process
 * needs a name of its own: see `urlFor`.
 */
export async function watchCrashPoints(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  const watchers = new Set<(moment: string, name: string) => void>();
  await client.connect();
  await client.query(triggers);
  await client.query('listen crash_points');
  client.on('notification', ({ payload = '' }) => {
    const [moment = '', name = ''] = payload.split(' ');
    for (const watch of watchers) watch(moment, name);
  });
  return {
    /** The database URL for the process of that name. */
    urlFor(name: string): string {
      const url = new URL(databaseUrl);
      url.searchParams.set('application_name', name);
      return url.toString();
    },
    /**
     * Kills the first process that reaches a crash point. `kill` is called at once: the process goes on meanwhile.
     *
     * @param kill returns false when it did not kill the process; then the next one is tried
     * @returns false when no process was killed within `withinMs`
     */
    async killAt(moment: CrashPoint, kill: (name: string) => boolean, withinMs: number): Promise<boolean> {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const watch = (reached: string, name: string) => {
        if (reached === moment && kill(name)) resolve(true);
      };
      watchers.add(watch);
      const timer = setTimeout(() => resolve(false), withinMs);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        watchers.delete(watch);
      }
    },
    close: () => client.end(),
  };
}
