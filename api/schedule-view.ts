import type { ScheduleRow, ScheduleStatus } from '../contract/ports/index.ts';
import { timingWarnings } from '../contract/rules/schedule-warnings.ts';
import type { Schedule } from '../contract/schedule.ts';

/** A schedule as callers see it: the row with Temporal's status, without the secret that signs a callback. */
export function scheduleView(row: ScheduleRow, status: ScheduleStatus, links: Schedule['links']): Schedule {
  const { tenant: _tenant, subject: _subject, action, ...shown } = row;
  const { paused, note, nextRuns } =
    status.state === 'scheduled' ? status : { paused: row.paused, note: '', nextRuns: [] };
  return {
    ...shown,
    action: withoutSecret(action),
    state: status.state,
    paused,
    // A schedule that Temporal paused after a failure, or a person in Temporal's UI, has the reason in Temporal's note.
    note: paused && !row.paused && note ? note : row.note,
    nextRuns,
    warnings: [
      ...timingWarnings(row.timing, Date.now()),
      ...(status.state === 'scheduled' && !paused && nextRuns.length === 0
        ? ['It does not run again: no time that fits its timing lies ahead.']
        : []),
    ],
    links,
  };
}

function withoutSecret({ task, message }: ScheduleRow['action']): Schedule['action'] {
  if (!task) return { message };
  const { callback, ...request } = task;
  return { task: { ...request, ...(callback ? { callback: { url: callback.url } } : {}) } };
}
