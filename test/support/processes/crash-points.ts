import pg from 'pg';

/** What a process has just written when it would be a bad time to die. */
export const crashPoints = ['charged', 'stored', 'intent', 'receipt'] as const;
/** And what is about to leave, or was decided by a person. */
export type CrashPoint = (typeof crashPoints)[number] | 'left' | 'decided' | 'resumed';

const triggers = `
  create function tell_moment() returns trigger language plpgsql as $$
    begin perform pg_notify('moments', tg_argv[0] || ' ' || current_setting('application_name')); return null; end $$;
  create trigger charged after insert on model_calls for each row execute function tell_moment('charged');
  create trigger stored after update of outcome on model_calls for each row when (new.outcome = 'completed')
    execute function tell_moment('stored');
  create trigger left_at after update of left_at on tool_calls for each row when (new.left_at is not null and old.left_at is null)
    execute function tell_moment('left');
  create trigger decided after update of decided_at on approvals for each row when (new.decided_at is not null and old.decided_at is null)
    execute function tell_moment('decided');
  create trigger resumed after insert on task_events for each row when (new.type = 'task.resumed')
    execute function tell_moment('resumed');
  create trigger intent after insert on tool_calls for each row execute function tell_moment('intent');
  create trigger receipt after update of result_hash on tool_calls for each row execute function tell_moment('receipt')`;

/** Says which process has just charged a model call, stored its response, begun a tool call, stored its receipt or a decision. */
export async function watchCrashPoints(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  const watchers = new Set<(moment: string, name: string) => void>();
  await client.connect();
  await client.query(triggers);
  await client.query('listen moments');
  client.on('notification', ({ payload = '' }) => {
    const [moment = '', name = ''] = payload.split(' ');
    for (const watch of watchers) watch(moment, name);
  });
  return {
    /** The address by which a process tells its name. */
    urlFor(name: string): string {
      const url = new URL(databaseUrl);
      url.searchParams.set('application_name', name);
      return url.toString();
    },
    /**
     * Resolves when `strike` has taken somebody. It is called as soon as the moment is known, for the moment does not last.
     * @returns false when nobody was taken within `withinMs`
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
