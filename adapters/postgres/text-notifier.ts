import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { taskEventsChannel } from '../../contract/ids.ts';
import type { Database } from '../../runtime/database/postgres.ts';

/** The least time between two notifications of a process. Not longer than a text writer's pause between two pieces. */
const pauseMs = 40;

/**
 * Wakes the followers of streamed text, with one notification a process for all streams.
 *
 * A transaction that notifies holds a lock of the whole database cluster until its commit is on disk, so streams must
 * not do that for each piece. The first piece notifies at once, later ones share a notification.
 *
 * A failed notification is dropped: the next piece notifies again, so does the event that ends the step, and followers
 * read now and then without one.
 */
export function createTextNotifier(db: Database) {
  const pending = new Set<string>();
  let running = false;

  const drain = async () => {
    while (pending.size > 0) {
      const ids = [...pending];
      pending.clear();
      // The wait for the disk is left out. It would hold the lock, and there is nothing to keep.
      await sql`
        select set_config('synchronous_commit', 'off', true), pg_notify(${taskEventsChannel}, id)
        from unnest(${ids}::text[]) as id`
        .execute(db)
        .catch(() => {});
      await sleep(pauseMs, undefined, { ref: false });
    }
    running = false;
  };

  return {
    /** @param ids the tasks and conversations with new text */
    notify(ids: string[]) {
      for (const id of ids) pending.add(id);
      if (running || pending.size === 0) return;
      running = true;
      void drain();
    },
  };
}
