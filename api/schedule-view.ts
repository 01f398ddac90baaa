import type { ScheduleRow } from '../contract/ports/index.ts';
import type { Schedule } from '../contract/schedule.ts';
import type { Seen } from '../adapters/temporal/schedules.ts';

/** A schedule as it is shown: our row beside what Temporal says, without the secret that signs a callback. */
export function scheduleView(row: ScheduleRow, seen: Seen, links: Schedule['links']): Schedule {
  const { tenant: _tenant, subject: _subject, action, ...shown } = row;
  const { paused, note, nextRuns } = seen.state === 'scheduled' ? seen : { paused: row.paused, note: '', nextRuns: [] };
  return {
    ...shown,
    action: withoutSecret(action),
    state: seen.state,
    paused,
    // Temporal pauses by itself after a failure, and anybody can in its UI; both leave a word there.
    note: paused && !row.paused && note ? note : row.note,
    nextRuns,
    links,
  };
}

function withoutSecret({ task, message }: ScheduleRow['action']): Schedule['action'] {
  if (!task) return { message };
  const { callback, ...request } = task;
  return { task: { ...request, ...(callback ? { callback: { url: callback.url } } : {}) } };
}
