import type { Scope } from '../contract/references.ts';
import { scheduleMetadata } from '../contract/rules/metadata.ts';
import type { ScheduleRow, ScheduleStatus } from '../contract/ports/index.ts';
import { timingWarnings } from '../contract/rules/schedule-warnings.ts';
import type { Schedule } from '../contract/schedule.ts';

/**
 * A schedule as callers see it: the row with Temporal's status, without the secret that signs a callback. Of the
 * schedule of another subject it is shown how it stands, and not what is in it.
 */
export function scheduleView(
  viewer: Scope,
  row: ScheduleRow,
  status: ScheduleStatus,
  links: Schedule['links'],
): Schedule {
  const isOwn = row.tenant === viewer.tenant && row.subject === viewer.subject;
  const { tenant: _tenant, subject, action, ...shown } = isOwn ? row : scheduleMetadata(row);
  const { paused, note, nextRuns } =
    status.state === 'scheduled' ? status : { paused: row.paused, note: '', nextRuns: [] };
  return {
    ...shown,
    ...(isOwn ? {} : { owner: subject }),
    action: withoutSecret(action),
    state: status.state,
    paused,
    // A schedule that Temporal paused after a failure, or a person in Temporal's UI, has the reason in Temporal's note.
    note: isOwn && paused && !row.paused && note ? note : shown.note,
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

function withoutSecret({ task, ...action }: ScheduleRow['action']): Schedule['action'] {
  if (!task) return action;
  const { callback, ...request } = task;
  return { ...action, task: { ...request, ...(callback ? { callback: { url: callback.url } } : {}) } };
}
